# METADATA
# title: What holds for every decision
# description: |
#   The one obvious place for a security team. Every plugin's decision consults these rules, and none can overrule them: a reason in
#   `deny` refuses whatever the plugin's own rules allow. `freeze.actions` in policies/data.json lists actions that are refused for now,
#   such as "access.assign"; "*" refuses everything. With `freeze.unconfirmed_after_seconds`, a server of signed bundles whose source has
#   not confirmed for longer that its policy is the newest refuses everything; null: however long it is.
package assay.main

deny contains {
	"code": "frozen",
	"message": "this action is frozen for the whole organisation",
	"rule": "assay.main.deny",
} if {
	some action in data.freeze.actions
	action in {"*", input.request.action}
}

deny contains {
	"code": "policy_stale",
	"message": "for too long nothing has said that this policy is the newest",
	"rule": "assay.main.deny",
} if {
	bound := data.freeze.unconfirmed_after_seconds
	bound != null
	confirmed := input.request.policy.confirmed
	not within(confirmed, bound)
}

# Undefined for what are no numbers, too.
within(confirmed, seconds) if input.now - confirmed <= seconds + 0
