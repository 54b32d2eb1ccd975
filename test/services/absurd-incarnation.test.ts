/**
 * Guards against this: one rumour with an incarnation of 2^53 - 1 silences a member for good. It outranks it with 2^53, which no
 * longer counts up (and is not told apart after decoding), and stays dead for everybody. The codec has a limit for
 * timestamps, but none for incarnations.
 */
import { expect, it } from 'vitest'
import { membersNewsCodec } from '../../src/protocol/codec.js'
import { topicsOf } from '../../src/services/topics.js'
import { SimulatedMesh } from '../support/mesh.js'

it('survives a rumour with the highest incarnation there can be', async () => {
  const mesh = await SimulatedMesh.of(3, 1)
  await mesh.advance(5_000)
  const incarnation = Number.MAX_SAFE_INTEGER
  const news = {
    id: mesh.node(1).id,
    incarnation,
    state: 'suspect',
    refused: false,
    opsEpoch: 0,
    opsSequence: 0,
  } as const
  await mesh.node(0).transport.publish(topicsOf('hearsay').members, membersNewsCodec.encode([news]))
  await mesh.advance(20_000)
  await mesh.settle(30_000)
  expect(mesh.isSettled()).toBe(true)
})
