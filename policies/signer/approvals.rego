# METADATA
# title: k of n
# description: |
#   `data.signer.approvals` says how many different peers have to ask the same thing, word by word, before it is done; 1 where it says nothing.
#   Each of them has to be permitted to. An approval counts for `approval_seconds`. What the schedule does, those who set it have approved.
package assay.signer.approvals

import data.assay.signer.peers

asked := input.facts.approvals

peer := input.request.peer

needed := 1 if {
	peers.scheduled
} else := object.get(data.signer.approvals, input.request.action, 1)

# By others, and fresh.
others := [each |
	some each in asked.given
	not same(each)
	input.now < each.at + data.signer.approval_seconds
]

same(approval) if {
	approval.kind == peer.kind
	approval.id == peer.id
}

enough if count(others) + 1 >= needed

recording := [{
	"digest": asked.digest,
	"given": array.concat(others, [{"at": input.now, "id": peer.id, "kind": peer.kind}]),
	"kind": "signer.approve",
}]

default clearing := []

clearing := [{"digest": asked.digest, "kind": "signer.approved"}] if {
	count(asked.given) > 0
}

grant := {
	"code": "approval_recorded",
	"message": "others have to ask the same before it is done",
	"rule": "assay.signer.approvals.grant",
}
