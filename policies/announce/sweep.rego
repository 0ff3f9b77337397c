# METADATA
# title: What came to its end
# description: An entry counts until its end and not after it, swept or not. Sweeping keeps what is stored as small as what counts.
package assay.announce.sweep

chunks := [{"chunk": chunk.chunk, "done": is_done(chunk), "due": due(chunk)} |
	some chunk in input.facts.journal.chunks
]

due(chunk) := sort({object.remove(line, ["mortal", "until"]) |
	some line in chunk.lines
	line.mortal
	line.until < input.now
})

# Nothing in it comes to an end any more.
is_done(chunk) if {
	chunk.full
	every line in chunk.lines {
		ended(line)
	}
} else := false

ended(line) if not line.mortal

ended(line) if line.until < input.now

swept := sum([count(chunk.due) | some chunk in chunks])

moved if {
	some chunk in chunks
	chunk.done
}

refusal := {
	"code": "nothing_to_sweep",
	"message": "nothing has come to its end",
	"rule": "assay.announce.sweep.refusal",
} if {
	swept == 0
	not moved
}

effects := [{"chunks": chunks, "kind": "announce.sweep"}]

# Further on there may be more.
output := {"more": more, "swept": swept}

default more := false

more if {
	count(chunks) > 0
	every chunk in chunks {
		chunk.done
	}
}
