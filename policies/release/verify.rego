# METADATA
# title: Whether an artifact is a release
# description: |
#   The chain from a pinned key to the bytes, link by link: the signature of SHA256SUMS, the artifact's own signature, the one line of
#   SHA256SUMS about it, its digest, and what its trusted comment states. The first link that does not hold is the reason.
package assay.release.verify

import data.assay.release.reasons
import data.assay.release.signature
import data.assay.release.version

facts := input.facts

links := [
	{"link": "sums_signature", "problem": sums_problem},
	{"link": "artifact_signature", "problem": artifact_problem},
	{"link": "digest_entry", "problem": entry_problem},
	{"link": "digest", "problem": digest_problem},
	{"link": "trusted_comment_file", "problem": file_problem},
	{"link": "version", "problem": version_problem},
]

broken := [at | some at, link in links; link.problem != "ok"]

refusal := reasons.named(links[broken[0]].problem, "assay.release.verify.refusal")

# The links as far as they were followed.
checks := [{"ok": link.problem == "ok", "what": link.link} | some link in array.slice(links, 0, followed)]

followed := broken[0] + 1 if {
	count(broken) > 0
} else := count(links)

sums_problem := "sums_missing" if {
	not facts.sums.present
} else := of_lineage(facts.sums_signature)

artifact_problem := problem if {
	problem := of_lineage(facts.artifact_signature)
	problem != "ok"
} else := "key_id_mismatch" if {
	# Two keys that have nothing to do with each other make no release.
	facts.artifact_signature.pin.lineage != facts.sums_signature.pin.lineage
} else := "ok"

# A request that names keys asks for these and their successors.
of_lineage(signed) := problem if {
	problem := signature.problem(signed)
	problem != "ok"
} else := "key_id_mismatch" if {
	count(facts.claimed.keys) > 0
	not signed.pin.lineage in facts.lineages
} else := "ok"

entry_problem := "digest_entry_missing" if {
	not facts.artifact.plain
} else := "digest_entry_missing" if {
	count(facts.sums.digests) == 0
} else := "digest_entry_ambiguous" if {
	count(facts.sums.digests) > 1
} else := "ok"

digest_problem := "ok" if {
	facts.claimed.sha256 in facts.sums.digests
} else := "digest_mismatch"

file_problem := "trusted_comment_file_mismatch" if {
	other_file(facts.artifact_signature.comment, facts.claimed.artifact)
} else := "trusted_comment_file_mismatch" if {
	other_file(facts.sums_signature.comment, "SHA256SUMS")
} else := "ok"

other_file(comment, name) if comment.file != name

other_file(comment, _) if "file" in comment.unclear

other_file(comment, _) if {
	data.release.require.file
	not comment.file
}

version_problem := "version_rollback" if {
	version.rollback
} else := "ok"

# Once a release of the successor was seen, nothing of its predecessor counts any more.
over contains {"key_id": facts.key.pin.key_id, "kind": "release.state", "state": "retired"} if {
	data.release.drop_after_release
	facts.key.pin.state == "grace"
}

recorded contains object.union(version.stated, {
	"family": facts.artifact.family,
	"kind": "release.record",
	"lineage": facts.artifact_signature.pin.lineage,
}) if {
	count(version.stated) > 0
}

# In one order, whichever engine decides.
effects := sort(recorded | over)

output := object.union({"checks": checks}, signer) if {
	count(broken) == 0
} else := {"checks": checks}

signer := {"family": facts.artifact.family, "key_id": facts.artifact_signature.key_id, "stated": version.stated}
