# METADATA
# title: Who may enrol keys
# description: |
#   `data.enrolment.may` names peers as the transport established them, each with the actions that it may ask for; `anyone` needs no name.
#   Without being named, the newest key, while it is in force, hands over to the next one of the same owner, and a cell puts its own keys out of
#   use by a signed call of its active key, or of one in grace where none is active.
package assay.enrolment.peers

import data.assay.lib.call

peer := input.request.peer

named if {
	some entry in data.enrolment.may.peers
	entry.kind == peer.kind
	object.get(entry, "id", peer.id) == peer.id
	some action in entry.actions
	action in {"*", input.request.action}
}

# A kind whose word stands for a proof: the process itself, which reads its configuration and holds its own keys.
vouches if {
	named
	peer.kind in data.enrolment.vouching
}

newest_in_force if {
	not input.facts.hand_over.key_revoked
	keys := input.facts.owner.keys
	keys[count(keys) - 1].state in {"active", "grace"}
}

permitted if named

permitted if input.request.action in data.enrolment.may.anyone

# What a hand-over says is all that its signature covers: which key comes next. What is replaced, and whose custody has it, a named peer says.
permitted if {
	input.facts.hand_over.check == "valid"
	newest_in_force
	input.facts.payload.replaces == ""
	input.facts.payload.custody == ""
}

permitted if {
	input.request.action == "enrolment.transition-key"
	input.facts.owner.scope == "cell"
	call.cell == input.facts.owner.name
	not outranked
}

# An earlier key, which may be in other hands by now, has no say while there is one that signs.
outranked if {
	input.facts.caller.key_state != "active"
	some known in input.facts.owner.keys
	known.state == "active"
}
