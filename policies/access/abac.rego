# METADATA
# title: Conditions on attributes
# description: |
#   Named conditions over the attributes that the store holds. policies/access/data.json says where they apply: `constraints` binds them to
#   a role (whoever has it active, by inheritance too, is bound, whatever else permits the action), `programs` lists for each type of
#   program what it may do under which conditions. A condition that has no rule here never holds. What the caller claims is not looked at.
package assay.access.abac

import data.assay.access.rbac

related := input.facts.resource.related

allocation := input.facts.subject.related.allocation

# The checkpoint's workload is the person's own.
holds("owns_workload") if {
	related.workload.found
	related.workload.attributes.owner == rbac.person.id
}

# The checkpoint lies on a node of the partition that is allocated to the person.
holds("node_allocated") if {
	allocation.found
	allocation.attributes.holder == rbac.person.id
	allocation.attributes.nodes[input.facts.resource.attributes.node] == true
	not ended(allocation.attributes)
}

# The person for whom the program acts may do this too: a program never has more than its person.
holds("person_permitted") if {
	rbac.person.found
	not disabled(rbac.person.attributes)
	count(rbac.permitting) > 0
}

# The program and the resource belong to one workload.
holds("same_workload") if {
	own := input.facts.subject.related.workload
	own.found
	related.workload.found
	own.id == related.workload.id
}

# The program's clearance reaches the resource's classification.
holds("cleared") if {
	is_number(input.facts.subject.attributes.clearance)
	is_number(input.facts.resource.attributes.classification)
	input.facts.subject.attributes.clearance >= input.facts.resource.attributes.classification
}

# Anything but a time in the future ends an allocation that has an end.
ended(attributes) if {
	until := attributes.until
	not later(until)
}

later(until) if {
	is_number(until)
	until > input.now
}

# Anything but false disables a subject.
disabled(attributes) if attributes.disabled != false

failures := {
	"cleared": {
		"code": "not_cleared",
		"message": "the program's clearance does not reach the resource's classification",
	},
	"node_allocated": {
		"code": "outside_partition",
		"message": "the node is not in a partition that is allocated to the person now",
	},
	"owns_workload": {
		"code": "not_owner",
		"message": "the workload belongs to somebody else",
	},
	"person_permitted": {
		"code": "person_not_permitted",
		"message": "the program acts for nobody who may do this",
	},
	"same_workload": {
		"code": "other_workload",
		"message": "the program belongs to another workload",
	},
}

unknown_condition := {
	"code": "unknown_condition",
	"message": "the policy data names a condition that no rule knows",
}

# Why a condition does not hold, as a reason of the rule that asked for it.
failure(condition, rule) := object.union(object.get(failures, condition, unknown_condition), {"rule": rule})

deny contains failure(condition, "assay.access.abac.deny") if {
	some role in rbac.active
	some condition in data.access.constraints[role][input.facts.resource.type][input.facts.payload.action]
	not holds(condition)
}

# What this type of program needs for this action.
required := data.access.programs[input.facts.subject.type][input.facts.resource.type][input.facts.payload.action]

grant contains {
	"code": "program_permitted",
	"message": "every condition for this type of program holds",
	"rule": "assay.access.abac.grant",
} if {
	rbac.kind == "program"
	every condition in required {
		holds(condition)
	}
}

missing contains failure(condition, "assay.access.abac.missing") if {
	rbac.kind == "program"
	some condition in required
	not holds(condition)
}
