# METADATA
# title: Subjects, resources and imports
# description: |
#   What may be stored about subjects and resources. An import is one decision about all of its records: a single one that may not be
#   stored refuses them all, and it only adds.
package assay.access.state

import data.assay.access.assignment
import data.assay.access.rbac

change := input.facts.payload.change

# Every subject that would be stored, with what would be stored of it.
stored contains object.union(change, {"type": input.facts.subject.type}) if {
	input.request.action == "access.put-subject"
}

stored contains imported if {
	input.request.action == "access.import"
	some imported in change.subjects
}

deny contains {
	"code": "unknown_subject_type",
	"message": "subjects of this type have no rules",
	"rule": "assay.access.state.deny",
} if {
	some kept in stored
	not data.access.subject_types[kept.type]
}

deny contains {
	"code": "not_a_program",
	"message": "only programs act for somebody",
	"rule": "assay.access.state.deny",
} if {
	some kept in stored
	kept.acts_for
	not data.access.subject_types[kept.type] == "program"
}

deny contains {
	"code": "not_a_person",
	"message": "programs act for people",
	"rule": "assay.access.state.deny",
} if {
	some kept in stored
	person := kept.acts_for
	not data.access.subject_types[person.type] == "person"
}

deny contains {
	"code": "unknown_resource",
	"message": "there is no such resource",
	"rule": "assay.access.state.deny",
} if {
	input.request.action == "access.remove-resource"
	not input.facts.resource.found
}

deny contains {
	"code": "record_exists",
	"message": "an import only adds, and one of its records exists",
	"rule": "assay.access.state.deny",
} if {
	input.request.action == "access.import"
	count(input.facts.subject.existing) + count(input.facts.resource.existing) > 0
}

deny contains {
	"code": "not_a_person",
	"message": "only people hold roles",
	"rule": "assay.access.state.deny",
} if {
	some holder in holders
	not data.access.subject_types[holder.type] == "person"
}

deny contains {
	"code": "unknown_role",
	"message": "the policy data has no such role",
	"rule": "assay.access.state.deny",
} if {
	some role in given
	not data.access.hierarchy[role]
}

deny contains {
	"code": "static_separation",
	"message": "one subject must not hold these roles together",
	"rule": "assay.access.state.deny",
} if {
	some holder in holders
	count(rbac.violated(data.access.static_separation, holder.roles)) > 0
}

deny contains {
	"code": "role_full",
	"message": "more subjects than allowed would hold this role",
	"rule": "assay.access.state.deny",
} if {
	some role, _ in data.access.cardinality
	more := count([true | some other in given; other == role])
	more > 0
	assignment.full(role, more)
}

deny contains {
	"code": "missing_prerequisite",
	"message": "a subject lacks a role that another of its roles requires",
	"rule": "assay.access.state.deny",
} if {
	some holder in holders
	some role in holder.roles
	assignment.lacking(role, holder.roles)
}

holders := [holder |
	input.request.action == "access.import"
	some holder in change.subjects
	count(holder.roles) > 0
]

# Once for each subject that gets it.
given := [role | some holder in holders; some role in holder.roles]
