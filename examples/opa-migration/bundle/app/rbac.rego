package app.rbac

# METADATA
# entrypoint: true
default allow := false

allow if {
	some role in data.users[input.user].roles
	some grant in data.grants[role]
	grant.action == input.action
	grant.object == input.object
	not blocked
}

# METADATA
# entrypoint: true
reasons contains sprintf("%s is not known here", [input.user]) if not data.users[input.user]

reasons contains sprintf("%s may not %s a %s", [input.user, input.action, input.object]) if {
	data.users[input.user]
	not allow
}

# Pushed while the service runs: who is blocked until when, in RFC 3339.
blocked if time.now_ns() < time.parse_rfc3339_ns(data.blocks[input.user])
