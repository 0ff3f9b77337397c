# METADATA
# title: Enrolment of nodes
# description: |
#   A token is issued for one node and for a while, is kept as a hash, and gives the bundle away once. Without all three documents there is
#   nothing to give.
package assay.bootstrap.enrol

facts := input.facts

token := facts.token

issue_problem := "token_exists" if {
	token.known
} else := "ttl_exceeds_max" if {
	ttl > data.bootstrap.max_ttl
} else := "ok"

ttl := facts.claimed.ttl if {
	facts.claimed.ttl > 0
} else := data.bootstrap.default_ttl

issue := [{
	"kind": "bootstrap.issue",
	"node_id": facts.claimed.node_id,
	"token_hash": facts.claimed.token_hash,
	"ttl": ttl,
}]

fetch_problem := "token_unknown" if {
	not token.known
} else := "token_mismatch" if {
	token.node_id != facts.claimed.node_id
} else := "token_used" if {
	token.used
} else := "token_expired" if {
	token.expires_at <= input.now
} else := "trust_incomplete" if {
	not facts.trust.complete
} else := "ok"

fetch := [{
	"control_plane": data.bootstrap.control_plane,
	"key_version": facts.key.version,
	"kid": facts.key.kid,
	"kind": "bootstrap.enrol",
	"node_id": facts.claimed.node_id,
	"root": facts.key.public_key,
	"token_hash": facts.claimed.token_hash,
}]
