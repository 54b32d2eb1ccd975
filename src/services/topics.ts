/**
 * Names of the topics and stream protocols of a mesh.
 */
export interface Topics {
  readonly heartbeat: string
  readonly members: string
  readonly ops: string
}

export function topicsOf(mesh: string): Topics {
  return {
    heartbeat: `hearsay/${mesh}/heartbeat`,
    members: `hearsay/${mesh}/members`,
    ops: `hearsay/${mesh}/ops`,
  }
}

/** Stream protocols. They do not carry the mesh's name, so that a hello can say that it differs. */
export const PROTOCOLS = {
  hello: '/hearsay/hello',
  state: '/hearsay/state',
  requests: '/hearsay/requests',
} as const
