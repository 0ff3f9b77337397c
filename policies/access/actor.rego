# METADATA
# title: Who asks
# description: |
#   The peer, where the store knows it as a person: its roles are those of its record, and no payload can give it any.
package assay.access.actor

import data.assay.access.abac
import data.assay.access.rbac

holds(role) if {
	actor := input.facts.roles.actor
	actor.found
	not abac.disabled(actor.attributes)
	data.access.subject_types[actor.type] == "person"
	count(rbac.violated(data.access.dynamic_separation, actor.roles)) == 0
	role in rbac.authorized(actor.roles)
}
