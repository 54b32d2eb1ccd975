/**
 * What must be equal in a mesh. Two peers that differ in one of these would disagree on where keys belong or on
 * how long deletes are remembered, so they do not share anything.
 */
export interface MeshParameters {
  readonly mesh: string
  readonly replicas: number | 'all'
  readonly partitions: number
  readonly virtualNodes: number
  readonly tombstoneGraceMs: number
}

/** The first thing in which two peers differ; undefined when they may share a mesh. */
export function difference(
  ours: MeshParameters,
  theirs: MeshParameters,
): { readonly field: string; readonly ours: string; readonly theirs: string } | undefined {
  const fields = ['mesh', 'replicas', 'partitions', 'virtualNodes', 'tombstoneGraceMs'] as const
  const field = fields.find((name) => ours[name] !== theirs[name])
  return field && { field, ours: String(ours[field]), theirs: String(theirs[field]) }
}
