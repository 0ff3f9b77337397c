# METADATA
# title: Reasons of the plugin release
# description: Every code that a decision of this plugin gives, in one place; plugins/release/README.md lists the same.
package assay.release.reasons

texts := [
	{"code": "already_pinned", "message": "this key is pinned, and stays so"},
	{"code": "digest_entry_ambiguous", "message": "SHA256SUMS has more than one line for this name"},
	{"code": "digest_entry_missing", "message": "SHA256SUMS has no line for exactly this plain file name"},
	{"code": "digest_mismatch", "message": "the artifact is not the one that SHA256SUMS names"},
	{"code": "dropped", "message": "nothing that this key signed counts from now on"},
	{"code": "handed_over", "message": "the pinned key names its successor"},
	{"code": "key_id_conflict", "message": "another key is pinned under this key id, or this key under another"},
	{"code": "key_id_mismatch", "message": "no key that is pinned, asked for and still counts has this key id"},
	{"code": "key_not_active", "message": "the key's time is over, or it has handed over before: nothing brings it back"},
	{"code": "key_scope_conflict", "message": "the key is enrolled in another scope; make a new one for releases"},
	{"code": "malformed_key", "message": "this is not a minisign public key"},
	{"code": "malformed_request", "message": "the payload is not what this action expects"},
	{"code": "malformed_signature", "message": "the signature file is not one of minisign's"},
	{"code": "not_allowed_here", "message": "a peer of this kind does not decide about pins"},
	{"code": "ok", "message": "released by a pinned key"},
	{"code": "pinned", "message": "releases that this key signs are accepted from now on"},
	{"code": "signature_invalid", "message": "the pinned key did not sign this"},
	{"code": "signature_missing", "message": "there is no signature file"},
	{"code": "sums_missing", "message": "there is no SHA256SUMS"},
	{"code": "trusted_comment_file_mismatch", "message": "the signature was made for another file"},
	{"code": "trusted_comment_invalid", "message": "the trusted comment is not the signer's"},
	{"code": "unknown_key", "message": "this key is not pinned"},
	{"code": "unsupported_algorithm", "message": "this algorithm is unknown, or the policy refuses it for this file"},
	{"code": "version_rollback", "message": "the release is older than one that was seen, or cannot be compared with it"},
	{"code": "weak_key", "message": "anyone can sign for this key: make a new one"},
]

by_code := {text.code: text | some text in texts}

named(code, rule) := object.union(by_code[code], {"rule": rule})
