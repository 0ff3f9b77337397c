# METADATA
# title: Who may move which key
# description: |
#   `data.signer.may` names peers as the transport established them, each with the actions that it may ask for and the scopes that it may ask
#   them of; `anyone` needs no name. `signer.override` is no action: whoever has it may go on before every verifier has acknowledged. A
#   verifier speaks for itself: the peer that it was registered with acknowledges without being named here. `signer.list` looks at all scopes.
#   Values of secrets go to those in `data.signer.deliver` alone.
package assay.signer.peers

import data.assay.signer.deliver

peer := input.request.peer

scope := input.facts.payload.scope

named(action) if {
	some entry in data.signer.may.peers
	entry.kind == peer.kind
	object.get(entry, "id", peer.id) == peer.id
	some allowed in entry.actions
	allowed in {"*", action}
	some covered in entry.scopes
	covered in {"*", scope}
}

permitted if {
	not receiving
	named(input.request.action)
}

permitted if {
	not receiving
	input.request.action in data.signer.may.anyone
}

permitted if {
	receiving
	deliver.receives
}

receiving if input.request.action in {"signer.deliver", "signer.fetch"}

permitted if {
	input.request.action == "signer.acknowledge"
	some verifier in input.facts.verifier.known
	verifier.peer == peer
}

# The schedule itself: what it may do is what is due.
scheduled if {
	peer.kind == "kernel"
	peer.id == "rotation"
}
