import { createHash, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { p256 } from '@noble/curves/nist.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIXTURES_ABSENT, fixture } from '../../test/fixtures.ts'
import { codeOf, testSigner, utf8 } from '../../test/log.ts'
import { derFromSignature, fromHex, p256Spki, toBase64, toHex } from '../crypto.ts'
import { formatCheckpoint, parseCheckpoint, parseDecimal } from './checkpoint.ts'
import { formatVkey, joinNotes, parseNote, parseVkey, signNote, verifyNote } from './note.ts'

/** witness-tlog: log seed 32 x 0x01, witness seed 32 x 0x02, three leaves, time 1700000000. */
const logVkey = 'log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c'
const witnessVkey = 'witness.example/w+cb1393dc+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU'
const text = 'log.example/a\n3\nlPvQ3YNvUDAWkubQ6t5yjuGexSv/8WBu2AfIV11aqhk=\n'
const logLine =
  '— log.example/a hwgG+EKytDQPunUW+tNRQMfN+2zbfyPWbAlzWZsqTxhzg5Dy4chYmwGGkIXnHuR2Cyotf/CTcO1e5B7uE+gtJmEgvgY='
const witnessLine =
  '— witness.example/w yxOT3AAAAABlU/EAyMhn3l8gvzIiRC02UvMaBWONCNxmZJe3LGkAWQJhNKueMzhfzbLv44WLTJLpCSIujXNw7jQLjAv/UsKzJoV6Cg=='
const note = `${text}\n${logLine}\n${witnessLine}\n`
const log = parseVkey(logVkey)
const witness = parseVkey(witnessVkey)
const other = '— other.example/o AAAAAAAA'

const verify = (whole: string, keys = [log, witness]) => verifyNote(parseNote(utf8(whole)), keys)

describe('the test vector with a witness', () => {
  it('has these keys and these signatures', async () => {
    const signer = testSigner(1)
    expect(formatVkey('log.example/a', signer.publicKey)).toBe(logVkey)
    expect(formatVkey('witness.example/w', testSigner(2).publicKey, 'cosignature')).toBe(
      witnessVkey,
    )
    const signed = await signNote(text, 'log.example/a', signer.publicKey, signer.sign)
    expect(new TextDecoder().decode(signed)).toBe(`${text}\n${logLine}\n`)
  })

  it('verifies, with the time of the witness', () => {
    expect(verify(note)).toEqual([{ key: log }, { key: witness, time: 1_700_000_000n }])
    expect(verify(note, [witness])).toEqual([{ key: witness, time: 1_700_000_000n }])
    expect(parseCheckpoint(parseNote(utf8(note)).text)).toEqual({
      origin: 'log.example/a',
      size: 3n,
      root: fromHex('94fbd0dd836f50301692e6d0eade728ee19ec52bfff1606ed807c8575d5aaa19'),
    })
  })
})

describe('verifyNote', () => {
  it('ignores lines of others, wherever they are and whatever they share', () => {
    const sameName = logLine.replace('hwgG', 'hwgH')
    const sameId = logLine.replace('log.example/a', 'log.example/b').replace('EKyt', 'EKyu')
    for (const lines of [
      [other, logLine],
      [logLine, other, other],
      [sameName, sameId, logLine],
    ])
      expect(verify(`${text}\n${lines.join('\n')}\n`)).toEqual([{ key: log }])
  })

  it('takes a repeat, and refuses a bad one beside a good one', () => {
    const bad = logLine.replace('EKyt', 'EKyu')
    expect(verify(`${text}\n${logLine}\n${logLine}\n`)).toEqual([{ key: log }])
    for (const lines of [`${logLine}\n${bad}`, `${bad}\n${logLine}`, bad, `${witnessLine}\n${bad}`])
      expect(codeOf(() => verify(`${text}\n${lines}\n`))).toBe('signature_invalid')
  })

  it('refuses a note that no known key signed', () => {
    expect(codeOf(() => verify(`${text}\n${other}\n`))).toBe('untrusted_key')
    expect(codeOf(() => verify(note, []))).toBe('untrusted_key')
  })

  it('refuses any other text', () => {
    for (let i = 0; i < text.length; i++) {
      const changed = `${text.slice(0, i)}${text[i] === 'x' ? 'y' : 'x'}${text.slice(i + 1)}`
      const code = codeOf(() => verify(`${changed}\n${logLine}\n`))
      expect(['signature_invalid', 'malformed']).toContain(code)
    }
    expect(codeOf(() => verify(`${text}extension\n\n${logLine}\n`))).toBe('signature_invalid')
  })

  it('takes the first of two cosignatures, and none at time 0 or beyond 63 bits', async () => {
    const cosign = async (time: bigint) => {
      const message = utf8(`cosignature/v1\ntime ${time}\n${text}`)
      const bytes = new Uint8Array(76)
      bytes.set(fromHex(witness.id)!)
      new DataView(bytes.buffer).setBigUint64(4, time)
      bytes.set(await testSigner(2).sign(message), 12)
      return `— witness.example/w ${toBase64(bytes)}`
    }
    const [five, six, zero, huge] = await Promise.all([5n, 6n, 0n, 2n ** 63n].map(cosign))
    expect(verify(`${text}\n${five}\n${six}\n`)).toEqual([{ key: witness, time: 5n }])
    for (const line of [zero, huge])
      expect(codeOf(() => verify(`${text}\n${line}\n`))).toBe('signature_invalid')
  })

  it('refuses cosignatures of the wrong size, without a time, or of another time', () => {
    const bytes = Uint8Array.from(Buffer.from(witnessLine.split(' ')[2]!, 'base64'))
    const line = (signature: Uint8Array) => `— witness.example/w ${toBase64(signature)}`
    const zero = bytes.slice()
    zero.fill(0, 4, 12)
    const later = bytes.slice()
    later[11]!++
    const huge = bytes.slice()
    huge[4] = 0x80
    for (const signature of [zero, later, huge, bytes.slice(0, 75), Uint8Array.of(...bytes, 0)])
      expect(codeOf(() => verify(`${text}\n${line(signature)}\n`))).toBe('signature_invalid')
  })
})

describe('parseNote', () => {
  const name = fc.stringMatching(/^[!-*,-~é—]{1,20}$/)
  const signature = fc.uint8Array({ minLength: 4, maxLength: 100 })
  const textLines = fc.array(fc.stringMatching(/^[ -~é]{0,20}$/), { minLength: 1, maxLength: 5 })

  it('gives back what is written', () => {
    const lines = fc.array(fc.tuple(name, signature), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(textLines, lines, (body, signatures) => {
        const written = `${body.join('\n')}\n`
        const block = signatures.map(([who, bytes]) => `— ${who} ${toBase64(bytes)}\n`).join('')
        const parsed = parseNote(utf8(`${written}\n${block}`))
        expect(parsed.text).toBe(written)
        expect(parsed.lines.map((line) => [line.name, line.id, toHex(line.signature)])).toEqual(
          signatures.map(([who, bytes]) => [who, toHex(bytes.slice(0, 4)), toHex(bytes.slice(4))]),
        )
      }),
    )
  })

  it('answers changed bytes with a LogError or the bytes’ one reading', () => {
    const change = fc.tuple(fc.nat(), fc.nat({ max: 255 }))
    const original = utf8(note)
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const bytes = original.slice()
        for (const [place, value] of changes) bytes[place % bytes.length] = value
        const code = codeOf(() => verifyNote(parseNote(bytes), [log, witness]))
        // Only the lines of others, or of one of the two, may differ then.
        if (code === 'accepted') expect(parseNote(bytes).text).toBe(text)
      }),
      { numRuns: 2000 },
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void codeOf(() => parseNote(bytes))))
  })

  it('refuses everything but the one form', () => {
    const bad: readonly string[] = [
      '',
      '\n',
      text,
      `${text}\n`,
      note.slice(0, -1),
      `${note}\n`,
      note.replaceAll('\n', '\r\n'),
      `\ufeff${note}`.replace('\n\n', '\n\n\u0000'),
      note.replace('— log', '- log'),
      note.replace('— log', '—  log'),
      note.replace('— log', '—\u00a0log'),
      `${text}\n${logLine} \n`,
      `${text}\n ${logLine}\n`,
      `${text}\n${logLine}\n\n${other} x\n`,
      `${text}\n${logLine.slice(0, -1)}\n`,
      `${text}\n— a+b AAAAAAAA\n`,
      `${text}\n— a\u2028b AAAAAAAA\n`,
      `${text}\n— a AAAA\n`,
      `${text}\n— a\n`,
      `${text}\n—  AAAAAAAA\n`,
      `${text}\t\n\n${other}\n`,
    ]
    for (const whole of bad) expect(codeOf(() => parseNote(utf8(whole)))).toBe('malformed')
    expect(codeOf(() => parseNote(Uint8Array.of(...utf8(note), 0xff, 0x0a)))).toBe('malformed')
  })

  it('splits at the last empty line', () => {
    const body = 'a\n\nb\n\n\nc\n'
    expect(parseNote(utf8(`${body}\n${other}\n`)).text).toBe(body)
  })

  it('bounds bytes and lines', () => {
    const lines = (n: number) => utf8(`${text}\n${`${other}\n`.repeat(n)}`)
    expect(parseNote(lines(100)).lines.length).toBe(100)
    expect(codeOf(() => parseNote(lines(101)))).toBe('too_large')
    expect(codeOf(() => parseNote(new Uint8Array(131_073)))).toBe('too_large')
  })
})

describe('signNote', () => {
  it('makes nothing that it would not read', async () => {
    const { publicKey, sign } = testSigner(1)
    for (const [body, who] of [
      ['no line feed', 'a'],
      ['tab\t\n', 'a'],
      ['half \ud800\n', 'a'],
      ['text\n', 'a b'],
      ['text\n', 'a+b'],
      ['text\n', ''],
    ] as const)
      await expect(signNote(body, who, publicKey, sign)).rejects.toMatchObject({
        code: 'malformed',
      })
  })

  it('passes on what the signer throws', async () => {
    const failure = new Error('no key')
    const failing = signNote('text\n', 'a', log.key.publicKey, () => Promise.reject(failure))
    await expect(failing).rejects.toBe(failure)
  })
})

describe('vkeys', () => {
  it('refuse what is no key', () => {
    const small = formatVkeyUnchecked('log.example/a', new Uint8Array(32).fill(1, 0, 1))
    expect(codeOf(() => parseVkey(small))).toBe('weak_key')
    for (const vkey of [
      '',
      'a',
      'a+b',
      'log.example/a+870806f8',
      logVkey.replace('870806f8', '870806f9'),
      logVkey.replace('870806f8', '870806F8'),
      logVkey.replace('log.example/a', 'log.example/b'),
      logVkey.replace('+AYqI', '+BYqI'),
      `${logVkey}\n`,
      ` ${logVkey}`,
      `${logVkey}=`,
      logVkey.slice(0, -4),
    ])
      expect(codeOf(() => parseVkey(vkey))).toBe('malformed')
    expect(codeOf(() => formatVkey('a b', log.key.publicKey))).toBe('malformed')
  })

  it('may hold plus signs in their base64', () => {
    for (let seed = 0; seed < 40; seed++) {
      const vkey = formatVkey('k', testSigner(seed).publicKey)
      expect(parseVkey(vkey)).toMatchObject({ vkey, name: 'k', type: 'log' })
    }
  })

  function formatVkeyUnchecked(name: string, publicKey: Uint8Array): string {
    return formatVkey(name, publicKey)
  }
})

/** Public logs of others: Rekor's and that of Pixel devices, whose checkpoints ECDSA keys signed. */
const PUBLIC_LOGS = [
  [
    'rekor.sigstore.dev+c0d23d6a+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNhtmPtrWm3U1eQXBogSMdGvXwBcK5AW5i0hrZLOC96l+smGNM7nwZ4QvFK/4sueRoVj//QP22Ni4Qt9DPfkWLc=',
    'Rekor\n798034\nf+7CoKgXKE/tNys9TTXcr/ad6U/K3xvznmzew9y6SP0=\n\n— rekor.sigstore.dev wNI9ajBEAiARInWIWyCdyG27CO6LPnPekyw20qO0YJfoaPaowGp/XgIgc+qEHS3+GKVClgqq20uDLet7MCoTURUCRdxwWBHHufk=\n',
  ],
  [
    'pixel6_transparency_log+91c16e30+AjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABN+4x0Jk1yTwvLFI9A4NDdGZcX0aiWVdWM5XJVy0M4VWD3AvyW5Q6Hs9A0mcDkpUoYgn+KKPNzFC0H3nN3q6JQ8=',
    'DEFAULT\n10\nbsWRucJU5xJPHb5eBdOm6+DM+VelCZBuvtI3sHERJ9Y=\n\n— pixel6_transparency_log kcFuMDBFAiEAhqMAP8P6qf6QxtUJhzMhbN+MbZ9dwfUHzGQJmffJHtoCIGD0cNe47dHWBoPwYdgBCepB06/+g5O1FmYjXl06owL4\n',
  ],
] as const

describe('ECDSA keys', () => {
  const secret = new Uint8Array(32).fill(3)
  const publicKey = p256.getPublicKey(secret, false)
  const sign = async (message: Uint8Array): Promise<Uint8Array> =>
    p256.sign(message, secret, { lowS: false })
  const name = 'log.example/p'
  const key = parseVkey(formatVkey(name, publicKey))
  const withSignature = (bytes: Uint8Array): Uint8Array =>
    utf8(`${text}\n— ${name} ${toBase64(Uint8Array.of(...fromHex(key.id)!, ...bytes))}\n`)

  it.each(PUBLIC_LOGS)('verify what others signed: %s', (vkey, whole) => {
    const others = parseVkey(vkey)
    expect(others).toMatchObject({ vkey, type: 'log', key: { algorithm: 'ecdsa-p256' } })
    expect(formatVkey(others.name, others.key.publicKey)).toBe(vkey)
    expect(verify(whole, [others])).toEqual([{ key: others }])
    const changed = whole.replace('\n10\n', '\n11\n').replace('\n798034\n', '\n798035\n')
    expect(codeOf(() => verify(changed, [others]))).toBe('signature_invalid')
  })

  it('sign notes whose lines hold DER', async () => {
    const signed = await signNote(text, name, publicKey, sign)
    expect(verifyNote(parseNote(signed), [key])).toEqual([{ key }])
    const [line] = parseNote(signed).lines
    expect(line?.signature[0]).toBe(0x30)
    expect(line?.id).toBe(
      createHash('sha256').update(p256Spki(publicKey)).digest('hex').slice(0, 8),
    )
    const short = signNote(text, name, publicKey, async () => new Uint8Array(63))
    await expect(short).rejects.toMatchObject({ code: 'malformed' })
  })

  it('refuse what is not strict DER of a signature, and a signature of another text', async () => {
    const [line] = parseNote(await signNote(text, name, publicKey, sign)).lines
    const der = line!.signature
    const check = (bytes: Uint8Array): string =>
      codeOf(() => verifyNote(parseNote(withSignature(bytes)), [key]))
    expect(check(der)).toBe('accepted')
    const raw = await sign(utf8(text))
    for (const wrong of [
      raw,
      Uint8Array.of(...der, 0),
      der.subarray(0, -1),
      new Uint8Array(),
      derFromSignature(await sign(utf8(`${text}x`))),
    ])
      expect(check(wrong)).toBe('signature_invalid')
  })

  it('sign beside an Ed25519 key', async () => {
    const { publicKey: first, sign: signFirst } = testSigner(1)
    const both = joinNotes(
      await signNote(text, 'log.example/a', first, signFirst),
      await signNote(text, name, publicKey, sign),
    )
    expect(verifyNote(parseNote(both), [log, key])).toEqual([{ key: log }, { key }])
    expect(verifyNote(parseNote(both), [key])).toEqual([{ key }])
  })

  it('are refused with another curve, another encoding, and as a witness', () => {
    const vkeyOf = (type: number, bytes: Uint8Array): string => {
      const id = createHash('sha256').update(bytes).digest('hex').slice(0, 8)
      return `${name}+${id}+${toBase64(Uint8Array.of(type, ...bytes))}`
    }
    const spki = p256Spki(publicKey)
    expect(vkeyOf(2, spki)).toBe(key.vkey)
    const off = spki.slice()
    off[90]! ^= 1
    expect(codeOf(() => parseVkey(vkeyOf(2, off)))).toBe('weak_key')
    const k256 = Uint8Array.from(
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({
        format: 'der',
        type: 'spki',
      }),
    )
    const cosigning = formatVkey(name, publicKey, 'cosignature')
    for (const vkey of [
      vkeyOf(2, k256),
      vkeyOf(2, publicKey),
      vkeyOf(2, Uint8Array.of(...spki, 0)),
      vkeyOf(1, spki),
      vkeyOf(4, spki),
      vkeyOf(3, spki),
      cosigning,
    ])
      expect(codeOf(() => parseVkey(vkey))).toBe('malformed')
  })
})

describe('checkpoints', () => {
  const root = new Uint8Array(32).fill(7)

  it('are written and read', () => {
    const line = fc.stringMatching(/^[ -~é]{1,30}$/)
    fc.assert(
      fc.property(line, fc.bigInt(0n, 2n ** 63n - 1n), fc.array(line), (origin, size, extra) => {
        const checkpoint = { origin, size, root, ...(extra.length > 0 && { extensions: extra }) }
        expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint)
      }),
    )
    expect(codeOf(() => formatCheckpoint({ origin: '', size: 0n, root }))).toBe('malformed')
    expect(codeOf(() => formatCheckpoint({ origin: 'a\nb', size: 0n, root }))).toBe('malformed')
  })

  it('have one form', () => {
    const good = formatCheckpoint({ origin: 'o', size: 12n, root })
    for (const bad of [
      '',
      good.slice(0, -1),
      good.replace('12', '012'),
      good.replace('12', '+12'),
      good.replace('12', ' 12'),
      good.replace('12', '0x12'),
      good.replace('12', '1e1'),
      good.replace('12', '-1'),
      good.replace('12', ''),
      good.replace('12', '9223372036854775808'),
      good.replace('12', '99999999999999999999'),
      good.replace('=', ''),
      good.replace('BwcH', 'BwcHBwcH'),
      `${good}\n`,
      `\n${good}`,
      'o\n12\n',
    ])
      expect(codeOf(() => parseCheckpoint(bad))).toBe('malformed')
  })

  it('have exact sizes', () => {
    expect(parseDecimal('9223372036854775807')).toBe(2n ** 63n - 1n)
    expect(parseDecimal('9007199254740993')).toBe(2n ** 53n + 1n)
    expect(parseDecimal('0')).toBe(0n)
    expect(parseDecimal('1\n')).toBeUndefined()
  })
})

interface NoteVectors {
  readonly spec_example: { readonly line: string; readonly message: string; readonly vkey: string }
  readonly lines: readonly {
    readonly line: string
    readonly result: {
      readonly error?: string
      readonly ok?: {
        readonly key_id_hex: string
        readonly key_name: string
        readonly signature_hex: string
      }
    }
  }[]
  readonly names: readonly { readonly key_name: string; readonly result: unknown }[]
}

/** Where nucleus is narrower than signed-note: it takes ASCII names of at most 255 characters, and a line with its line feed. */
const narrower = new Set(['em—dash', 'ünïcode'])

describe('the vectors of nucleus', () => {
  it('are read alike', (ctx) => {
    const path = fixture('nucleus', 'signed_note_vectors.json')
    if (path === undefined) return ctx.skip(FIXTURES_ABSENT)
    const vectors = JSON.parse(readFileSync(path, 'utf8')) as NoteVectors
    const { line, message, vkey } = vectors.spec_example
    const key = parseVkey(vkey)
    expect(verifyNote(parseNote(utf8(`${message}\n${line}\n`)), [key])).toEqual([{ key }])
    expect(vectors.lines.length).toBe(11)
    for (const { line, result } of vectors.lines) {
      const whole = utf8(`text\n\n${line.replace(/\n$/, '')}\n`)
      if (result.ok === undefined) expect(codeOf(() => parseNote(whole))).toBe('malformed')
      else {
        const [parsed] = parseNote(whole).lines
        expect(parsed?.name).toBe(result.ok.key_name)
        expect(parsed?.id).toBe(result.ok.key_id_hex)
        expect(toHex(parsed?.signature as Uint8Array)).toBe(result.ok.signature_hex)
      }
    }
    for (const { key_name, result } of vectors.names) {
      const code = codeOf(() => formatVkey(key_name, key.key.publicKey))
      const wide = narrower.has(key_name) || key_name.length > 255
      expect(code).toBe(result === 'ok' || wide ? 'accepted' : 'malformed')
    }
  })
})

describe('joinNotes', () => {
  it('has the signatures of both, in their order', async () => {
    const sign = async (seed: number, text = 'text\n'): Promise<Uint8Array> => {
      const { publicKey, sign } = testSigner(seed)
      return signNote(text, 'log.example', publicKey, sign)
    }
    const keys = [1, 2].map((seed) =>
      parseVkey(formatVkey('log.example', testSigner(seed).publicKey)),
    )
    const joined = joinNotes(await sign(1), await sign(2))
    expect(verifyNote(parseNote(joined), keys)).toEqual(keys.map((key) => ({ key })))
    const other = await sign(2, 'other\n')
    expect(codeOf(() => joinNotes(joined, other))).toBe('malformed')
  })
})
