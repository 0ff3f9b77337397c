# METADATA
# title: Messages that come
# description: |
#   In this order: the checks of the bytes, who signed, the type that the action takes, time, sequence, and what the message asks for. Signatures
#   were checked before the body was inflated or parsed; here stands what follows from all of it.
package assay.announce.message

import data.assay.announce.checks
import data.assay.announce.signer

said := input.facts.message

feed := input.facts.feed

subject := input.facts.subject

last := input.facts.signer.last

lists_revocations if said.type in {"REVOCATIONS", "REVOKE_BROADCAST"}

refusal := checks.refusal if {
	said.check != "valid"
} else := reason if {
	reason := signer.refusal
} else := {
	"code": "wrong_type",
	"message": "announce.learn takes REVOCATIONS, announce.receive everything else",
	"rule": "assay.announce.message.refusal",
} if {
	not taken_here
} else := {
	"code": "not_yet_valid",
	"message": "the message was signed for later",
	"rule": "assay.announce.message.refusal",
} if {
	said.time > input.now + data.announce.clock_skew_seconds
} else := {
	"code": "too_old",
	"message": "the message was signed too long ago",
	"rule": "assay.announce.message.refusal",
} if {
	said.time < input.now - data.announce.max_age_seconds
} else := {
	"code": "replayed",
	"message": "the key has signed a later message that was heard already",
	"rule": "assay.announce.message.refusal",
} if {
	said.type != "REVOCATIONS"
	said.seq <= last.sequence
	not takes_back
} else := content_refusal

# Nobody fetches what later messages overtook: what takes a delegation back counts in any order, until it has.
takes_back if {
	said.type == "UNDELEGATE"
	not subject.delegation.revoked
}

taken_here if {
	said.type == "REVOCATIONS"
	input.request.action == "announce.learn"
}

taken_here if {
	said.type != "REVOCATIONS"
	input.request.action == "announce.receive"
}

content_refusal := revocations_refusal if {
	lists_revocations
}

content_refusal := delegation_refusal if {
	said.type == "DELEGATE"
}

content_refusal := {
	"code": "announcement_over",
	"message": "the service was announced until a time that has passed",
	"rule": "assay.announce.message.content_refusal",
} if {
	said.type == "ANNOUNCE"
	said.until <= input.now
}

revocations_refusal := {
	"code": "own_feed",
	"message": "what a cell of this kernel revokes is not told by others",
	"rule": "assay.announce.message.revocations_refusal",
} if {
	input.facts.cell.local
	signer.of_its_cell
} else := {
	"code": "revocation_not_allowed",
	"message": "the signer may not revoke things of this kind",
	"rule": "assay.announce.message.revocations_refusal",
} if {
	some entry in said.entries
	not entry.kind in data.announce.may_revoke[signer.role]
} else := {
	"code": "until_out_of_range",
	"message": "a token or lease is revoked for longer than a token lives, or for ever",
	"rule": "assay.announce.message.revocations_refusal",
} if {
	some entry in said.entries
	entry.kind in {"lease", "token"}
	not ends_in_time(entry)
}

ends_in_time(entry) if {
	entry.until <= (said.time + data.announce.token_life_seconds) + data.announce.clock_skew_seconds
}

delegation_refusal := {
	"code": "delegate_weak_key",
	"message": "anyone can sign for the key that is delegated to",
	"rule": "assay.announce.message.delegation_refusal",
} if {
	subject.check == "weak_key"
} else := {
	"code": "delegate_scope",
	"message": "the key that is delegated to is enrolled for something else",
	"rule": "assay.announce.message.delegation_refusal",
} if {
	subject.scope != ""
	not subject.scope in data.announce.delegate_scopes
} else := {
	"code": "delegation_withdrawn",
	"message": "a delegation to this key was taken back, which is for ever",
	"rule": "assay.announce.message.delegation_refusal",
} if {
	subject.delegation.revoked
} else := {
	"code": "delegation_window",
	"message": "the delegation ends before it begins, or lasts for too long",
	"rule": "assay.announce.message.delegation_refusal",
} if {
	not lasts_well
}

lasts_well if {
	said.not_before < said.expires
	said.expires - said.not_before <= data.announce.max_delegation_seconds
}

effects := array.concat(array.concat(pinned, accepted), array.concat(asked_for, missing))

default pinned := []

pinned := [{"key": input.facts.signer.key, "kind": "announce.pin"}] if {
	signer.pins
}

# A page of a set has no number of its own: it says the same however often it comes.
default accepted := []

accepted := [{
	"key": input.facts.signer.key,
	"kind": "announce.accept",
	"sequence": max({last.sequence, said.seq}),
	"time": max({last.time, said.time}),
}] if {
	said.type != "REVOCATIONS"
}

asked_for := [{
	"cell": said.cell,
	"endpoint": said.endpoint,
	"kind": "announce.offer",
	"service": said.service,
	"signer": input.facts.signer.key,
	"until": said.until,
}] if {
	said.type == "ANNOUNCE"
}

asked_for := [{"cell": said.cell, "kind": "announce.withdraw", "service": said.service}] if {
	said.type == "WITHDRAW"
}

asked_for := [object.union(
	{
		"by": input.facts.signer.key,
		"expires": said.expires,
		"key": said.key,
		"kind": "announce.delegate",
		"not_before": said.not_before,
		"types": said.types,
	},
	object.filter(said, ["cells"]),
)] if {
	said.type == "DELEGATE"
}

asked_for := [{"key": said.key, "kind": "announce.undelegate"}] if {
	said.type == "UNDELEGATE"
}

asked_for := array.concat([learning], following) if {
	lists_revocations
}

learning := {
	"cell": said.cell,
	"entries": [object.union(entry, {"reach": reach(entry)}) |
		some entry in said.entries
		not over(entry)
	],
	"kind": "announce.learn",
	"sequence": reaches,
}

# A token or lease is the cell's that issued it. Of a key or a tenant, a cell has a say about its own tokens.
reach(entry) := "*" if {
	entry.kind in {"key", "tenant"}
	signer.everywhere
} else := said.cell

default following := []

following := [{
	"after": said.after,
	"as_of": min({input.now, said.time}),
	"cell": said.cell,
	"complete": complete,
	"kind": "announce.follow",
	"sequence": reaches,
	"signer": input.facts.signer.key,
}] if {
	signer.of_its_cell
}

# What is missing is asked for at once. A page of a set was asked for: whoever did so goes on by itself.
default missing := []

missing := [{"cell": said.cell, "kind": "announce.fetch"}] if {
	said.type == "REVOKE_BROADCAST"
	gap
}

over(entry) if entry.until < input.now

reaches := said.through if {
	said.type == "REVOCATIONS"
} else := said.seq

contiguous if said.after <= feed.sequence

# With what is known already, nothing that the cell revoked until now is missing.
default complete := false

complete if {
	contiguous
	said.type == "REVOKE_BROADCAST"
}

complete if {
	contiguous
	said.type == "REVOCATIONS"
	not said.more
}

default gap := false

gap if {
	signer.of_its_cell
	not contiguous
}

default output := {}

# What whoever fetches sets goes by.
output := {"cell": said.cell, "gap": gap, "more": more, "through": reaches} if {
	lists_revocations
}

default more := false

more := said.more
