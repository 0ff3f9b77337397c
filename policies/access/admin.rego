# METADATA
# title: Who may change state, and to what
# description: |
#   The rules for every action but `access.evaluate`, each of which comes to one effect; an action without an effect is not granted.
#   An administrator is a kind of peer that the transport vouches for, or a person in the store who has the administrators' role; no
#   payload can make anyone an administrator.
package assay.access.admin

import data.assay.access.actor
import data.assay.access.assignment
import data.assay.access.state

change := input.facts.payload.change

subject := input.facts.subject

session := input.facts.roles.session

administrator if input.request.peer.kind in data.access.administrators.peer_kinds

administrator if actor.holds(data.access.administrators.role)

# People open and close their own sessions.
self_service if {
	input.request.action in data.access.self_service
	input.request.peer.kind == concerned.type
	input.request.peer.id == concerned.id
}

concerned := subject if input.request.action == "access.open-session"

concerned := session.subject if input.request.action == "access.close-session"

grant contains {
	"code": "administrator",
	"message": "an administrator asks for it",
	"rule": "assay.access.admin.grant",
} if {
	administrator
	effect
}

grant contains {
	"code": "self_service",
	"message": "it concerns the subject's own session",
	"rule": "assay.access.admin.grant",
} if {
	self_service
}

deny contains {
	"code": "not_administrator",
	"message": "only administrators change this state",
	"rule": "assay.access.admin.deny",
} if {
	not administrator
	not self_service
}

# Somebody who may not ask learns nothing about the state.
deny contains reason if {
	count(grant) > 0
	some reason in assignment.deny
}

deny contains reason if {
	count(grant) > 0
	some reason in state.deny
}

target := {"id": subject.id, "type": subject.type}

effect := {"kind": "access.assign-role", "role": change.role, "subject": target} if {
	input.request.action == "access.assign"
}

effect := {"kind": "access.revoke-role", "role": change.role, "subject": target} if {
	input.request.action == "access.revoke"
}

effect := {
	"expires": change.expires,
	"id": session.id,
	"kind": "access.open-session",
	"roles": change.roles,
	"subject": target,
} if {
	input.request.action == "access.open-session"
}

effect := {"id": session.id, "kind": "access.close-session"} if {
	input.request.action == "access.close-session"
}

effect := object.union(change, {"id": subject.id, "kind": "access.put-subject", "type": subject.type}) if {
	input.request.action == "access.put-subject"
}

effect := object.union(change, {
	"id": input.facts.resource.id,
	"kind": "access.put-resource",
	"type": input.facts.resource.type,
}) if {
	input.request.action == "access.put-resource"
}

effect := {"kind": "access.remove-subject", "subject": target} if {
	input.request.action == "access.remove-subject"
}

effect := {
	"kind": "access.remove-resource",
	"resource": {"id": input.facts.resource.id, "type": input.facts.resource.type},
} if {
	input.request.action == "access.remove-resource"
}

effect := object.union(change, {"kind": "access.import"}) if {
	input.request.action == "access.import"
}
