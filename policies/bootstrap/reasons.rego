# METADATA
# title: Reasons of the plugin bootstrap
# description: Every code that a decision of this plugin gives of its own, in one place; plugins/bootstrap/README.md lists the same.
package assay.bootstrap.reasons

texts := [
	{"code": "acknowledged", "message": "the node has this version of the document"},
	{"code": "acknowledgement_impossible", "message": "the node is not enrolled, or there is no such version yet, or it had a later one"},
	{"code": "anchor_altered", "message": "an anchor keeps its value for ever: give the new one a name of its own"},
	{"code": "anchor_in_other_trust", "message": "what is trusted for one purpose is not trusted for another"},
	{"code": "anchor_in_use", "message": "an anchor that is in use is not taken out: let another one be current first"},
	{"code": "anchor_not_announced", "message": "a new anchor begins as next, so that every node has it before it is used"},
	{"code": "enrolled", "message": "the node has its bundle, and the token is used up"},
	{"code": "key_not_managed", "message": "the plugin signer does not know the key that signs bundles"},
	{"code": "malformed_request", "message": "the payload is not what this action expects"},
	{"code": "no_current_anchor", "message": "one anchor has to be current"},
	{"code": "nodes_lag", "message": "not every node has acknowledged the document that announces this anchor"},
	{"code": "not_allowed_here", "message": "nobody permits this peer to do this"},
	{"code": "published", "message": "this is what nodes trust from now on"},
	{"code": "published_early", "message": "this is what nodes trust from now on, though some of them have not heard of it"},
	{"code": "token_exists", "message": "a token is issued once"},
	{"code": "token_expired", "message": "the token is over: issue a new one"},
	{"code": "token_issued", "message": "whoever has the token is this node, once"},
	{"code": "token_mismatch", "message": "the token is for another node"},
	{"code": "token_unknown", "message": "nobody issued this token"},
	{"code": "token_used", "message": "the token was used before: issue a new one, and find out who did"},
	{"code": "trust_incomplete", "message": "publish a document of each kind before nodes are enrolled"},
	{"code": "ttl_exceeds_max", "message": "tokens do not live for that long"},
]

by_code := {text.code: text | some text in texts}

named(code, rule) := object.union(by_code[code], {"rule": rule})
