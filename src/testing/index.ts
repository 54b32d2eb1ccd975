/**
 * A mesh in one process for your own tests: real peers on simulated time and a simulated network, with partitions,
 * crashes and stalls at your command, and the same run from the same seed.
 *
 * @example
 * ```ts
 * import { simulateMesh } from 'hearsay/testing'
 *
 * const mesh = await simulateMesh({ peers: 3, seed: 7 })
 * const [ada, bob] = mesh.peers
 * await ada.cache('users').set('42', 'Ada')
 * await mesh.settle()
 * mesh.crash(ada)
 * await mesh.settle()
 * bob.cache('users').peek('42') // 'Ada'
 * await mesh.stop()
 * ```
 */
export {
  type SimulatedLink,
  type SimulatedMesh,
  type SimulatedMeshOptions,
  simulateMesh,
  type WaitOptions,
} from './simulated-mesh.js'
