/** Yamux's credit in bulk: what goes out of it, frame by frame. */
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { creditInBulk } from '../../src/adapters/libp2p/muxer.js'

const DATA = 0
const CREDIT = 1
const SYN = 1
const HELD_MAX = 64 * 1024

function frame(type: number, stream: number, length: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint8(1, type)
  view.setUint16(2, flags)
  view.setUint32(4, stream)
  view.setUint32(8, length)
  return bytes
}

const credit = (stream: number, bytes: number, flags = 0) => frame(CREDIT, stream, bytes, flags)

const data = (stream: number, text: string) =>
  new Uint8ArrayList(frame(DATA, stream, text.length), Buffer.from(text))

/** What goes out, packet by packet, each as its frames. */
async function packets(frames: ReadonlyArray<Uint8Array | Uint8ArrayList>): Promise<string[][]> {
  async function* source() {
    yield* frames
  }
  const out: string[][] = []
  for await (const packet of creditInBulk(source())) out.push(framesOf(packet.subarray()))
  return out
}

function framesOf(packet: Uint8Array): string[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  const frames: string[] = []
  for (let at = 0; at < packet.length; ) {
    const [type, flags] = [view.getUint8(at + 1), view.getUint16(at + 2)]
    const [stream, length] = [view.getUint32(at + 4), view.getUint32(at + 8)]
    at += 12
    if (type === DATA) {
      frames.push(`${stream}: ${Buffer.from(packet.subarray(at, at + length)).toString()}`)
      at += length
    } else frames.push(`${stream}${type === CREDIT ? '+' : '?'}${length}${flags ? '!' : ''}`)
  }
  return frames
}

describe('credit', () => {
  it('goes out behind the next frame, in one packet', async () => {
    const sent = [credit(1, 10), credit(2, 20), data(3, 'a'), data(3, 'b')]
    expect(await packets(sent)).toEqual([['3: a', '1+10', '2+20'], ['3: b']])
  })

  it('of one stream is added up', async () => {
    expect(await packets([credit(1, 10), credit(1, 32), data(1, 'a')])).toEqual([['1: a', '1+42']])
  })

  it('goes out by itself once there is much of it', async () => {
    const sent = [credit(2, 7), credit(1, HELD_MAX - 1), credit(1, 1), data(1, 'a')]
    expect(await packets(sent)).toEqual([['2+7', `1+${HELD_MAX}`], ['1: a']])
  })

  it('that opens or ends a stream is not held back, nor what is not credit', async () => {
    const [PING, GO_AWAY] = [2, 3]
    const sent = [credit(1, 0, SYN), frame(PING, 0, 5), frame(GO_AWAY, 0, 0)]
    expect(await packets(sent)).toEqual([['1+0!'], ['0?5'], ['0?0']])
  })

  it('is never held back for more than so many streams', async () => {
    const sent = Array.from({ length: 65 }, (_, index) => credit(index, 1))
    expect((await packets(sent)).flat()).toHaveLength(65)
  })

  it('is given in full but for what is held back, whatever the order', async () => {
    const step = fc.record({
      stream: fc.integer({ min: 1, max: 3 }),
      bytes: fc.integer({ min: 0, max: 40_000 }),
      isData: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        const given = new Map<number, number>()
        const texts: string[] = []
        for (const [index, { stream, bytes, isData }] of steps.entries()) {
          if (isData) texts.push(`${stream}: ${index}`)
          else given.set(stream, (given.get(stream) ?? 0) + bytes)
        }
        const out = await packets(
          steps.map(({ stream, bytes, isData }, index) =>
            isData ? data(stream, String(index)) : credit(stream, bytes),
          ),
        )
        expect(out.flat().filter((text) => text.includes(':'))).toEqual(texts)
        for (const [stream, bytes] of given) {
          const came = out
            .flat()
            .filter((text) => text.startsWith(`${stream}+`))
            .reduce((sum, text) => sum + Number(text.split('+')[1]), 0)
          expect(came).toBeLessThanOrEqual(bytes)
          expect(bytes - came).toBeLessThan(HELD_MAX)
        }
      }),
    )
  })
})
