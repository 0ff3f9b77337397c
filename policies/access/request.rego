# METADATA
# title: Requests for access
# description: |
#   Who was refused for want of a permission may ask for it, where `data.access.requests` has the action; who holds the role named there
#   approves or denies. Nobody decides on a request that they made or that is for themselves. An approval permits that one action on that
#   one resource until it ends; whatever else refuses it still does.
package assay.access.request

import data.assay.access.actor
import data.assay.access.admin
import data.assay.access.rbac

actions := {
	"access.approve-request",
	"access.deny-request",
	"access.request",
	"access.revoke-approval",
	"access.show-request",
	"access.withdraw-request",
}

subject := input.facts.subject

change := input.facts.payload.change

peer := input.request.peer

request := input.facts.roles.request

state := request.state

# What the policy data says about requests for this action: `approver` is a role; times are seconds.
terms := data.access.requests[input.facts.resource.type][input.facts.payload.action]

# What a denial offers to who may come back with a request.
offer := {"expires_at": input.now + terms.denial_seconds, "template": terms.template} if rbac.kind == "person"

# The grants of the subject that count for this evaluation.
granted if {
	rbac.kind == "person"
	some given in input.facts.roles.grants
	given.until > input.now
	given.action == input.facts.payload.action
	given.resource == {"id": input.facts.resource.id, "type": input.facts.resource.type}
	terms
}

for_itself if {
	peer.kind == subject.type
	peer.id == subject.id
}

requester if peer == state.requester

own if for_itself

own if requester

approver if actor.holds(terms.approver)

concerned if own

concerned if approver

concerned if admin.administrator

permitted["access.request"] if for_itself

permitted["access.request"] if peer.kind in data.access.requesters.peer_kinds

permitted["access.approve-request"] if approver

permitted["access.deny-request"] if approver

permitted["access.revoke-approval"] if approver

permitted["access.revoke-approval"] if admin.administrator

permitted["access.show-request"] if concerned

permitted["access.withdraw-request"] if own

permitted["access.withdraw-request"] if admin.administrator

grant contains {
	"code": "request_party",
	"message": "the peer may do this to this request",
	"rule": "assay.access.request.grant",
} if {
	permitted[input.request.action]
	effects
}

# Who has nothing to do with a request learns nothing about it, not even that it exists.
deny contains {
	"code": "unknown_request",
	"message": "there is no such request",
	"rule": "assay.access.request.deny",
} if {
	input.request.action != "access.request"
	not known
}

known if {
	request.found
	concerned
}

deny contains {
	"code": "not_requester",
	"message": "the peer neither is this subject nor asks for others",
	"rule": "assay.access.request.deny",
} if {
	input.request.action == "access.request"
	not permitted["access.request"]
}

deny contains {
	"code": "not_approver",
	"message": "the peer does not have the role that decides on this",
	"rule": "assay.access.request.deny",
} if {
	known
	input.request.action in {"access.approve-request", "access.deny-request", "access.revoke-approval"}
	not permitted[input.request.action]
}

deny contains {
	"code": "own_request",
	"message": "nobody decides on a request of their own",
	"rule": "assay.access.request.deny",
} if {
	known
	input.request.action in {"access.approve-request", "access.deny-request"}
	own
}

deny contains {
	"code": "not_own_request",
	"message": "only the requester, the subject and administrators withdraw a request",
	"rule": "assay.access.request.deny",
} if {
	known
	input.request.action == "access.withdraw-request"
	not permitted["access.withdraw-request"]
}

deny contains reason if {
	permitted[input.request.action]
	some reason in refusals
}

refusals contains {
	"code": "unknown_denial",
	"message": "no evaluation has this id, or it was erased",
	"rule": "assay.access.request.refusals",
} if {
	input.facts.roles.denial.check == "unknown"
}

refusals contains {
	"code": "other_denial",
	"message": "the evaluation was about something else",
	"rule": "assay.access.request.refusals",
} if {
	input.facts.roles.denial.check == "mismatch"
}

refusals contains {
	"code": "not_requestable",
	"message": "the evaluation offered no request, or the policy no longer does",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action == "access.request"
	input.facts.roles.denial.check == "valid"
	not requestable
}

requestable if {
	input.facts.roles.denial.expires
	terms
}

refusals contains {
	"code": "denial_expired",
	"message": "the denial is too long ago; ask again for an evaluation",
	"rule": "assay.access.request.refusals",
} if {
	input.facts.roles.denial.expires <= input.now
}

refusals contains {
	"code": "request_exists",
	"message": "there is a request for this denial",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action == "access.request"
	request.found
}

refusals contains {
	"code": "unknown_subject",
	"message": "there is no such subject",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action == "access.request"
	not subject.found
}

# One that was removed and made again is somebody else.
refusals contains {
	"code": "unknown_subject",
	"message": "the subject of the request is no longer there",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action == "access.approve-request"
	state
	not subject.incarnation == state.incarnation
}

refusals contains {
	"code": "request_lifetime",
	"message": "access must end in the future, and no later than the policy lets it last",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action in {"access.approve-request", "access.request"}
	end := until
	not lasts(end)
}

refusals contains {
	"code": "request_closed",
	"message": "the request was decided, withdrawn, or has expired",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action in {"access.approve-request", "access.deny-request", "access.withdraw-request"}
	status != "pending"
}

refusals contains {
	"code": "not_approved",
	"message": "there is no approval to revoke",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action == "access.revoke-approval"
	not revocable
}

revocable if {
	state.status == "approved"
	not state.revoked
}

refusals contains {
	"code": "too_many_grants",
	"message": "one subject has at most 64 approved requests at a time",
	"rule": "assay.access.request.refusals",
} if {
	input.request.action == "access.approve-request"
	count([true | some given in input.facts.roles.grants; given.until > input.now]) >= 64
}

# When access ends: what the approver says, else what was asked for, else as late as may be.
until := change.until if {
	change.until
} else := state.until if {
	state.until
} else := input.now + terms.max_seconds

lasts(end) if {
	end > input.now
	end <= input.now + terms.max_seconds
}

default status := "pending"

status := state.status if {
	state.status != "pending"
} else := "expired" if {
	state.expires <= input.now
}

created := object.union(change, {
	"action": input.facts.payload.action,
	"created": input.now,
	"expires": input.now + terms.pending_seconds,
	"id": request.id,
	"incarnation": subject.incarnation,
	"requester": peer,
	"resource": {"id": input.facts.resource.id, "type": input.facts.resource.type},
	"status": "pending",
	"subject": {"id": subject.id, "type": subject.type},
})

put(record) := {"kind": "access.put-request", "state": record}

effects := [put(created)] if input.request.action == "access.request"

effects := [
	put(object.union(state, {"status": "approved", "until": until})),
	{
		"grant": {"action": state.action, "request": state.id, "resource": state.resource, "until": until},
		"kind": "access.grant",
		"subject": state.subject,
	},
] if {
	input.request.action == "access.approve-request"
}

effects := [put(object.union(state, {"status": "denied"}))] if input.request.action == "access.deny-request"

effects := [put(object.union(state, {"status": "cancelled"}))] if input.request.action == "access.withdraw-request"

effects := [
	put(object.union(state, {"revoked": input.now})),
	{"kind": "access.revoke-grant", "request": state.id, "subject": state.subject},
] if {
	input.request.action == "access.revoke-approval"
}

effects := [] if input.request.action == "access.show-request"

# The request as it is after this decision.
record := effects[0].state

record := object.union(state, {"status": status}) if input.request.action == "access.show-request"

# What the peer is told about it.
told := object.union_n([
	{"expires": record.expires, "id": request.id, "status": record.status},
	about,
	approval,
	end,
])

default about := {}

about := {"about": {name: state[name] |
	some name in ["action", "justification", "requester", "resource", "subject"]
}} if {
	input.request.action == "access.show-request"
}

default approval := {}

approval := {"approval": request.approval}

default end := {}

# A revoked approval ended when it was revoked.
end := {"until": min([record.until, object.get(record, "revoked", record.until)])} if record.status == "approved"
