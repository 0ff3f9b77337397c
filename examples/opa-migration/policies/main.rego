# METADATA
# title: What holds for every decision
# description: |
#   The one obvious place for a security team. Every plugin's decision consults these rules, and none can overrule them: a reason in
#   `deny` refuses whatever the plugin's own rules allow. `freeze.actions` in policies/data.json lists actions that are refused for now,
#   such as "access.assign"; "*" refuses everything.
package assay.main

deny contains {
	"code": "frozen",
	"message": "this action is frozen for the whole organisation",
	"rule": "assay.main.deny",
} if {
	some action in data.freeze.actions
	action in {"*", input.request.action}
}
