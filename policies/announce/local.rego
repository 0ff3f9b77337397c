# METADATA
# title: Messages that are made here
# description: Publishing, and the pages of what a cell of this kernel revoked. Both are signed with a key that this kernel keeps.
package assay.announce.local

cell := input.facts.cell

publish := input.facts.publish

set := input.facts.set

signs := {"custody": cell.signer.custody, "signer": cell.signer.key}

refusal := {
	"code": "cell_unknown",
	"message": "no cell of this name is enrolled",
	"rule": "assay.announce.local.refusal",
} if {
	publish.as != "controller"
	not cell.known
} else := {
	"code": "cell_not_local",
	"message": "the cell's key is not kept here",
	"rule": "assay.announce.local.refusal",
} if {
	publish.as != "controller"
	not cell.local
} else := {
	"code": "signer_not_held",
	"message": "this kernel keeps no active key to sign with",
	"rule": "assay.announce.local.refusal",
} if {
	not cell.signer.held
} else := {
	"code": "not_publishable",
	"message": "revocations are published by announce.revoke and announce.revocations",
	"rule": "assay.announce.local.refusal",
} if {
	publish.as != "none"
	not publish.body.type in {"ANNOUNCE", "DELEGATE", "UNDELEGATE", "WITHDRAW"}
}

effects := [object.union(signs, {
	"body": publish.body,
	"from": cell.name,
	"kind": "announce.publish",
	"scope": publish.as,
	"send": publish.send,
})] if {
	publish.as != "none"
} else := [object.union(signs, {
	"after": set.after,
	"cell": cell.name,
	"entries": [entry | some entry in set.entries; not over(entry)],
	"kind": "announce.answer",
	"more": set.more,
	"through": set.through,
})]

over(entry) if entry.until < input.now

output := {"more": set.more, "through": set.through}
