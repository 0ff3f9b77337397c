# METADATA
# title: Who may look into decisions, and which of their fields
# description: |
#   Roles stand in data.json: `peer_kinds` and `members` give them to peers that the transport vouches for, `actions` says what they permit,
#   `open` which fields of which actions. `with_purpose` is opened only to those who state a purpose; nobody checks it, but it is on record.
package assay.audit.scope

peer := input.request.peer

roles contains data.audit.peer_kinds[peer.kind]

roles contains role if {
	some role, members in data.audit.members
	some member in members
	member.kind == peer.kind
	member.id == peer.id
}

permitting contains role if {
	some role in roles
	input.request.action in data.audit.roles[role].actions
}

# Where nobody is authenticated, all callers are one peer.
own if {
	some record in input.facts.records.items
	record.asked_by_peer
}

scopes contains scope if {
	some role in permitting
	some scope in data.audit.roles[role].open
}

scopes contains scope if {
	input.facts.claimed.purpose != ""
	some role in permitting
	some scope in data.audit.roles[role].with_purpose
}

scopes contains {"actions": [record.action], "fields": ["*"]} if {
	input.request.action == "audit.receipt"
	some record in input.facts.records.items
	record.asked_by_peer
}

open := sort(scopes)
