# METADATA
# title: Roles (RBAC3)
# description: |
#   Role hierarchy and separation of duty over policies/access/data.json. `hierarchy` names every role and its juniors: a senior role has
#   whatever its juniors have, and a role that is not named there counts for nothing. A separation set allows at most `max` of its roles,
#   inherited ones included: `static_separation` when roles are assigned, `dynamic_separation` when they are active.
package assay.access.rbac

import data.assay.access.session

# What holding these roles comes to.
authorized(roles) := graph.reachable(data.access.hierarchy, roles)

# The names of the separation sets that these roles violate, once juniors are counted.
violated(sets, roles) := exceeded(sets, authorized(roles))

exceeded(sets, all) := {name |
	some name, group in sets
	count([role | some role in group.roles; role in all]) > group.max
}

# The person whose roles count: the subject, or whom a program acts for. A program's own roles never count.
kind := data.access.subject_types[input.facts.subject.type]

person := input.facts.subject if kind == "person"

person := input.facts.subject.acts_for if {
	kind == "program"
	data.access.subject_types[input.facts.subject.acts_for.type] == "person"
}

default assigned := []

assigned := input.facts.roles.assigned if kind == "person"

assigned := person.roles if kind == "program"

# The roles that count now, juniors included. With a session: those it activated, as far as they are still assigned. Without one: all,
# unless they must not be active together.
default active := set()

active := inherited if {
	not input.facts.roles.session
	not conflicting
}

active := authorized(activated) if session.usable

inherited := authorized(assigned)

activated := {role |
	some role in input.facts.roles.session.roles
	role in inherited
}

conflicting if count(exceeded(data.access.dynamic_separation, inherited)) > 0

# The active roles that permit the action.
permitting contains role if {
	some role in active
	data.access.permissions[role][input.facts.resource.type][input.facts.payload.action]
}
