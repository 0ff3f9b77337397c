# METADATA
# title: Who may ask for what
# description: |
#   `data.task.may` names peers as the transport established them, each with the actions that it may ask for. A node, a peer of kind `node`,
#   takes and reports its own tasks without being named. `data.task.senders` says who may send which types of tasks to which nodes; a name that
#   ends with `*` stands for all that begin so.
package assay.task.peers

peer := input.request.peer

claimed := input.facts.claimed

is_peer(entry) if {
	entry.kind == peer.kind
	object.get(entry, "id", peer.id) == peer.id
}

permitted if {
	some entry in data.task.may
	is_peer(entry)
	some action in entry.actions
	action in {"*", input.request.action}
}

permitted if {
	peer.kind == "node"
	input.request.action in {"task.accept", "task.report"}
	peer.id == claimed.node_id
}

# Which tasks, the senders say.
permitted if input.request.action == "task.sign"

sender if {
	some entry in data.task.senders
	is_peer(entry)
	some type in entry.types
	matches(type, claimed.type)
	some node in entry.nodes
	matches(node, claimed.node_id)
}

matches(pattern, name) if pattern == name

matches(pattern, name) if {
	endswith(pattern, "*")
	startswith(name, trim_suffix(pattern, "*"))
}
