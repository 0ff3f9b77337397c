# METADATA
# title: What a key may sign
# description: |
#   The same rules for every plugin that signs. `data.signing.purposes` lists, for each scope, what keys of that scope may sign; what is not
#   listed is not signed. A key that the plugin signer manages signs only while its record says that it is active, whatever custody would
#   still do. `refusal(key, purpose)` is the reason against it; undefined where the key may. `key` is as formats/signingkey reports it.
package assay.lib.signing

may_sign(key, purpose) if purpose in data.signing.purposes[key.scope]

refusal(key, purpose) := {
	"code": "purpose_not_allowed",
	"message": "keys of this scope do not sign that",
	"rule": "assay.lib.signing.refusal",
} if {
	not may_sign(key, purpose)
} else := {
	"code": "signing_key_not_active",
	"message": "no version of the key may sign now: activate one",
	"rule": "assay.lib.signing.refusal",
} if {
	key.managed
	key.version == 0
}
