# METADATA
# title: Assignments and sessions
# description: |
#   What RBAC3 demands of assigning and revoking roles and of opening and closing sessions: static and dynamic separation of duty,
#   cardinality, prerequisites, and a session that holds no more than its subject.
package assay.access.assignment

import data.assay.access.abac
import data.assay.access.rbac

change := input.facts.payload.change

session := input.facts.roles.session

assigned := {role | some role in input.facts.roles.assigned}

# A role is full when this many more would exceed its cardinality.
full(role, more) if object.get(input.facts.roles.members, role, 0) + more > data.access.cardinality[role]

# A prerequisite of the role that these roles do not include, by inheritance or by themselves.
lacking(role, roles) if {
	some needed in data.access.prerequisites[role]
	not needed in rbac.authorized(roles)
}

needs_subject := {"access.assign", "access.open-session", "access.remove-subject", "access.revoke"}

deny contains {
	"code": "unknown_subject",
	"message": "there is no such subject",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action in needs_subject
	not input.facts.subject.found
}

deny contains {
	"code": "not_a_person",
	"message": "only people hold roles and sessions",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action in {"access.assign", "access.open-session"}
	input.facts.subject.found
	not rbac.kind == "person"
}

deny contains {
	"code": "unknown_role",
	"message": "the policy data has no such role",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.assign"
	not data.access.hierarchy[change.role]
}

deny contains {
	"code": "already_assigned",
	"message": "the subject has this role",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.assign"
	change.role in assigned
}

deny contains {
	"code": "too_many_roles",
	"message": "one subject holds at most 64 roles",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.assign"
	count(assigned) >= 64
}

deny contains {
	"code": "static_separation",
	"message": "one subject must not hold this role together with its other roles",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.assign"
	count(rbac.violated(data.access.static_separation, assigned | {change.role})) > 0
}

deny contains {
	"code": "role_full",
	"message": "as many subjects as allowed hold this role",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.assign"
	full(change.role, 1)
}

deny contains {
	"code": "missing_prerequisite",
	"message": "the subject lacks a role that this one requires",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.assign"
	lacking(change.role, assigned)
}

deny contains {
	"code": "role_not_assigned",
	"message": "the subject does not have this role",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.revoke"
	not change.role in assigned
}

deny contains {
	"code": "required_by_role",
	"message": "another of the subject's roles requires this one: revoke that first",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.revoke"
	left := assigned - {change.role}
	some role in left
	lacking(role, left)
}

deny contains {
	"code": "subject_disabled",
	"message": "the subject is disabled",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.open-session"
	abac.disabled(input.facts.subject.attributes)
}

deny contains {
	"code": "session_exists",
	"message": "a session with this name is open, or has ended and was not closed",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.open-session"
	session.found
}

deny contains {
	"code": "no_roles",
	"message": "a session activates at least one role",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.open-session"
	count(change.roles) == 0
}

deny contains {
	"code": "role_not_assigned",
	"message": "the session asks for a role that the subject does not have",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.open-session"
	some role in change.roles
	not role in rbac.authorized(assigned)
}

deny contains {
	"code": "dynamic_separation",
	"message": "the session asks for roles that must not be active together",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.open-session"
	count(rbac.violated(data.access.dynamic_separation, change.roles)) > 0
}

deny contains {
	"code": "session_lifetime",
	"message": "the session must end in the future, and no later than sessions may last",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.open-session"
	not lasts(change.expires - input.now)
}

lasts(seconds) if {
	seconds > 0
	seconds <= data.access.sessions.max_seconds
}

deny contains {
	"code": "unknown_session",
	"message": "there is no such session",
	"rule": "assay.access.assignment.deny",
} if {
	input.request.action == "access.close-session"
	not session.found
}
