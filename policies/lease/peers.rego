# METADATA
# title: Who may do what with leases
# description: |
#   Who is who stands in data.json: `operators` may act on everything; `tenants` says which peers act for a tenant; a cell, by its signed call,
#   acts on its own resources. `actions` says what each of them may do, and what anyone may who may call at all: freeing needs nothing but
#   the lease's id, so that clean-up always works.
package assay.lease.peers

import data.assay.lib.call

action := input.request.action

# The cell whose resource it is. A resource that is not there yet is the cell's that adds it.
cell := input.facts.cell.name if {
	action == "lease.add-resource"
} else := input.facts.resource.record.cell

tenant := input.facts.lease.record.tenant if {
	input.facts.lease.found
} else := input.facts.tenant.name

permitted if action in data.lease.actions.anyone

permitted if {
	action in data.lease.actions.operator
	some peer in data.lease.operators
	fits(peer)
}

permitted if {
	action in data.lease.actions.tenant
	some peer in data.lease.tenants[tenant]
	fits(peer)
}

permitted if {
	action in data.lease.actions.cell
	call.cell == cell
}

# One that names no id stands for all of its kind.
fits(peer) if {
	peer.kind == input.request.peer.kind
	object.get(peer, "id", input.request.peer.id) == input.request.peer.id
}
