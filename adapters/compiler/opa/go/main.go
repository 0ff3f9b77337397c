//go:build js && wasm

// Command opa is the Rego compiler, tester and evaluator of the opa module, built for a JavaScript host.
//
// The host sets globalThis.assayReady before it runs the program and gets one function back: (request, reply). The request is JSON; reply
// is called once, with JSON and, for a build, the bytes of the policy. Work runs in its own goroutine: a callback from JavaScript that
// waited for other goroutines would stop the scheduler.
package main

import (
	"syscall/js"
)

func main() {
	serve := js.FuncOf(func(_ js.Value, args []js.Value) any {
		request, reply := args[0].String(), args[1]
		go func() {
			text, wasm := answerText(request)
			if wasm == nil {
				reply.Invoke(text)
				return
			}
			bytes := js.Global().Get("Uint8Array").New(len(wasm))
			js.CopyBytesToJS(bytes, wasm)
			reply.Invoke(text, bytes)
		}()
		return nil
	})
	js.Global().Get("assayReady").Invoke(serve)
	select {}
}
