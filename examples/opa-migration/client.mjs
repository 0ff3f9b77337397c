// The program as it was with OPA: nothing in it knows what answers.
import { OPAClient } from '@open-policy-agent/opa'

const [server = 'http://127.0.0.1:8181'] = process.argv.slice(2)
const opa = new OPAClient(server)
const asked = (user, action) => ({ user, action, object: 'document' })

for (const user of ['alice', 'bob', 'eve'])
  for (const action of ['read', 'write'])
    console.log(user, action, await opa.evaluate('app/rbac/allow', asked(user, action)))

console.log('why not:', await opa.evaluate('app/rbac/reasons', asked('eve', 'read')))

const inputs = { first: asked('alice', 'write'), second: asked('bob', 'write') }
console.log('batch:', await opa.evaluateBatch('app/rbac/allow', inputs, { fallback: true }))

const push = await fetch(`${server}/v1/data/blocks`, {
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ alice: '2100-01-01T00:00:00Z' }),
})
console.log('blocked:', push.status, await opa.evaluate('app/rbac/allow', asked('alice', 'read')))
