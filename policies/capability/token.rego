# METADATA
# title: What a token says of itself
# description: |
#   Size, structure and signatures as the plugin checked them, then issuer, audience and time. A cell accepts the tokens that it issued and
#   nobody else's; one decision point may serve several cells. Only `iat` may be ahead of the clock, by `skew` seconds: clocks differ, and a
#   token ends when it says (RFC 7519: `now` is before `exp`).
package assay.capability.token

token := input.facts.token

refusal := {
	"code": "too_large",
	"message": "a token has at most 16 KiB and 16 blocks",
	"rule": "assay.capability.token.refusal",
} if {
	token.check == "too_large"
} else := {
	"code": "malformed",
	"message": "this is not a capability token",
	"rule": "assay.capability.token.refusal",
} if {
	token.check == "malformed"
} else := {
	"code": "weak_key",
	"message": "the token names a key that anyone can sign for",
	"rule": "assay.capability.token.refusal",
} if {
	token.check == "weak_key"
} else := {
	"code": "issuer_unknown",
	"message": "no such cell is enrolled here",
	"rule": "assay.capability.token.refusal",
} if {
	token.check == "issuer_unknown"
} else := {
	"code": "signature_invalid",
	"message": "a signature of the token does not hold",
	"rule": "assay.capability.token.refusal",
} if {
	token.check != "valid"
} else := {
	"code": "issuer_mismatch",
	"message": "a cell accepts only tokens that it issued itself",
	"rule": "assay.capability.token.refusal",
} if {
	not own
} else := {
	"code": "audience_mismatch",
	"message": "the token is for another cell",
	"rule": "assay.capability.token.refusal",
} if {
	not for_this_cell
} else := {
	"code": "not_yet_valid",
	"message": "the token begins later",
	"rule": "assay.capability.token.refusal",
} if {
	not begun
} else := {
	"code": "lease_expired",
	"message": "the token is over",
	"rule": "assay.capability.token.refusal",
} if {
	not running
} else := {
	"code": "ttl_exceeds_max",
	"message": "the token is for longer than any may be",
	"rule": "assay.capability.token.refusal",
} if {
	not short
}

# Rules of their own: what cannot be compared, for want of a bound or of a member, does not hold.
own if token.iss == token.aud

# Its own for somewhere else: what is wrong with it is where it is for.
own if token.iss == input.facts.claimed.at

for_this_cell if token.aud == input.facts.claimed.at

begun if token.iat <= input.now + data.capability.skew

running if {
	input.now < token.exp
	token.iat < token.exp
}

short if token.exp - token.iat <= data.capability.max_ttl
