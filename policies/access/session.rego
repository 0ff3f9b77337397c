# METADATA
# title: Sessions with activated roles
# description: |
#   `context.session` only names a session; the record says whose it is, which roles it activated and until when. A session that cannot be
#   used refuses the request: falling back to all assigned roles would give more than was asked for.
package assay.access.session

import data.assay.access.rbac

session := input.facts.roles.session

usable if {
	session
	count(deny) == 0
}

# A person who was removed and made again under the same name is somebody else.
belongs if {
	session.subject.id == rbac.person.id
	session.subject.type == rbac.person.type
	session.incarnation == rbac.person.incarnation
}

conflicting if count(rbac.violated(data.access.dynamic_separation, rbac.activated)) > 0

deny contains {
	"code": "unknown_session",
	"message": "there is no such session; it may have been closed",
	"rule": "assay.access.session.deny",
} if {
	session.found == false
}

deny contains {
	"code": "foreign_session",
	"message": "the session belongs to somebody else",
	"rule": "assay.access.session.deny",
} if {
	session.found
	not belongs
}

deny contains {
	"code": "session_expired",
	"message": "the session has ended",
	"rule": "assay.access.session.deny",
} if {
	session.expires <= input.now
}

deny contains {
	"code": "dynamic_separation",
	"message": "the session activates roles that must not be active together",
	"rule": "assay.access.session.deny",
} if {
	conflicting
}

deny contains {
	"code": "session_required",
	"message": "some of the assigned roles must not be active together: open a session with those that are needed",
	"rule": "assay.access.session.deny",
} if {
	not session
	rbac.conflicting
}
