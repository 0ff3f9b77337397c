# METADATA
# title: Why a message is not believed
# description: A reason for each check that a message can fail before anybody looks at what it says. Bytes come first, parsing last.
package assay.announce.checks

why := {
	"absent": {"code": "message_absent", "message": "there is no message"},
	"duplicate_key": {"code": "duplicate_key", "message": "an object of the body has one name twice"},
	"inflate_failed": {"code": "inflate_failed", "message": "the body is not raw deflate"},
	"inflated_too_large": {"code": "inflated_too_large", "message": "the body inflates to more than 262,144 bytes"},
	"invalid_utf8": {"code": "invalid_utf8", "message": "the body is not UTF-8"},
	"lone_surrogate": {"code": "lone_surrogate", "message": "the body has half a surrogate pair"},
	"malformed": {"code": "malformed", "message": "the frame is not one of a wire message"},
	"malformed_body": {"code": "malformed_body", "message": "a member of the body is missing or is not what its type wants"},
	"not_canonical": {"code": "not_canonical", "message": "the body is not the canonical text of its value"},
	"not_json": {"code": "not_json", "message": "the body is not JSON"},
	"number_range": {"code": "number_range", "message": "a number of the body is beyond 2^53-1"},
	"signature_invalid": {"code": "signature_invalid", "message": "the named key did not sign these bytes"},
	"signer_unknown": {"code": "signer_unknown", "message": "the key is neither pinned, nor delegated to, nor enrolled"},
	"too_deep": {"code": "too_deep", "message": "the body nests too deeply"},
	"too_large": {"code": "too_large", "message": "the message has more than 65,536 bytes"},
	"unknown_flags": {"code": "unknown_flags", "message": "a flag is set that has no meaning"},
	"unknown_member": {"code": "unknown_member", "message": "the body has a member that its type does not have"},
	"unknown_type": {"code": "unknown_type", "message": "no such type of message"},
	"unsigned": {"code": "unsigned", "message": "the message is not signed"},
	"weak_key": {"code": "weak_key", "message": "anyone can sign for the key that the message names"},
}

refusal := object.union(why[input.facts.message.check], {"rule": "assay.announce.checks.refusal"})
