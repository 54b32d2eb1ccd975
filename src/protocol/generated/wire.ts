/* eslint-disable import/export */
/* eslint-disable complexity */
/* eslint-disable @typescript-eslint/no-namespace */
/* eslint-disable @typescript-eslint/no-unnecessary-boolean-literal-compare */
/* eslint-disable @typescript-eslint/no-empty-interface */
/* eslint-disable import/consistent-type-specifier-style */
/* eslint-disable @typescript-eslint/no-unused-vars */

import { decodeMessage, encodeMessage, enumeration, MaxLengthError, message } from 'protons-runtime'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface WireTimestamp {
  wallMs: number
  counter: number
}

export namespace WireTimestamp {
  let _codec: Codec<WireTimestamp>

  export const codec = (): Codec<WireTimestamp> => {
    if (_codec == null) {
      _codec = message<WireTimestamp>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.wallMs != null && obj.wallMs !== 0)) {
          w.uint32(8)
          w.uint64Number(obj.wallMs)
        }

        if ((obj.counter != null && obj.counter !== 0)) {
          w.uint32(16)
          w.uint32(obj.counter)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          wallMs: 0,
          counter: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.wallMs = reader.uint64Number()
              break
            }
            case 2: {
              obj.counter = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireTimestamp>): Uint8Array => {
    return encodeMessage(obj, WireTimestamp.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireTimestamp>): WireTimestamp => {
    return decodeMessage(buf, WireTimestamp.codec(), opts)
  }
}

export enum WireState {
  ALIVE = 'ALIVE',
  SUSPECT = 'SUSPECT',
  DEAD = 'DEAD',
  LEFT = 'LEFT',
  FORGOTTEN = 'FORGOTTEN'
}

enum __WireStateValues {
  ALIVE = 0,
  SUSPECT = 1,
  DEAD = 2,
  LEFT = 3,
  FORGOTTEN = 4
}

export namespace WireState {
  export const codec = (): Codec<WireState> => {
    return enumeration<WireState>(__WireStateValues)
  }
}

export enum WireStatus {
  JOINING = 'JOINING',
  SERVING = 'SERVING',
  DRAINING = 'DRAINING'
}

enum __WireStatusValues {
  JOINING = 0,
  SERVING = 1,
  DRAINING = 2
}

export namespace WireStatus {
  export const codec = (): Codec<WireStatus> => {
    return enumeration<WireStatus>(__WireStatusValues)
  }
}

export enum WireRole {
  OWNER = 'OWNER',
  CLIENT = 'CLIENT'
}

enum __WireRoleValues {
  OWNER = 0,
  CLIENT = 1
}

export namespace WireRole {
  export const codec = (): Codec<WireRole> => {
    return enumeration<WireRole>(__WireRoleValues)
  }
}

export interface WireMember {
  id: string
  name: string
  incarnation: number
  status: WireStatus
  addresses: string[]
  state: WireState
  role: WireRole
  outlived?: number
}

export namespace WireMember {
  let _codec: Codec<WireMember>

  export const codec = (): Codec<WireMember> => {
    if (_codec == null) {
      _codec = message<WireMember>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.id != null && obj.id !== '')) {
          w.uint32(10)
          w.string(obj.id)
        }

        if ((obj.name != null && obj.name !== '')) {
          w.uint32(18)
          w.string(obj.name)
        }

        if ((obj.incarnation != null && obj.incarnation !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.incarnation)
        }

        if (obj.status != null && __WireStatusValues[obj.status] !== 0) {
          w.uint32(32)
          WireStatus.codec().encode(obj.status, w)
        }

        if (obj.addresses != null) {
          for (const value of obj.addresses) {
            w.uint32(42)
            w.string(value)
          }
        }

        if (obj.state != null && __WireStateValues[obj.state] !== 0) {
          w.uint32(48)
          WireState.codec().encode(obj.state, w)
        }

        if (obj.role != null && __WireRoleValues[obj.role] !== 0) {
          w.uint32(56)
          WireRole.codec().encode(obj.role, w)
        }

        if (obj.outlived != null) {
          w.uint32(64)
          w.uint64Number(obj.outlived)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          id: '',
          name: '',
          incarnation: 0,
          status: WireStatus.JOINING,
          addresses: [],
          state: WireState.ALIVE,
          role: WireRole.OWNER
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.id = reader.string()
              break
            }
            case 2: {
              obj.name = reader.string()
              break
            }
            case 3: {
              obj.incarnation = reader.uint64Number()
              break
            }
            case 4: {
              obj.status = WireStatus.codec().decode(reader)
              break
            }
            case 5: {
              if (opts.limits?.addresses != null && obj.addresses.length === opts.limits.addresses) {
                throw new MaxLengthError('Decode error - map field "addresses" had too many elements')
              }

              obj.addresses.push(reader.string())
              break
            }
            case 6: {
              obj.state = WireState.codec().decode(reader)
              break
            }
            case 7: {
              obj.role = WireRole.codec().decode(reader)
              break
            }
            case 8: {
              obj.outlived = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireMember>): Uint8Array => {
    return encodeMessage(obj, WireMember.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireMember>): WireMember => {
    return decodeMessage(buf, WireMember.codec(), opts)
  }
}

export interface WireRing {
  members: string[]
}

export namespace WireRing {
  let _codec: Codec<WireRing>

  export const codec = (): Codec<WireRing> => {
    if (_codec == null) {
      _codec = message<WireRing>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.members != null) {
          for (const value of obj.members) {
            w.uint32(10)
            w.string(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          members: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.members != null && obj.members.length === opts.limits.members) {
                throw new MaxLengthError('Decode error - map field "members" had too many elements')
              }

              obj.members.push(reader.string())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireRing>): Uint8Array => {
    return encodeMessage(obj, WireRing.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireRing>): WireRing => {
    return decodeMessage(buf, WireRing.codec(), opts)
  }
}

export interface WireHello {
  mesh: string
  minor: number
  replicas: number
  partitions: number
  virtualNodes: number
  tombstoneGraceMs: number
  instance: string
  clock?: WireTimestamp
  self?: WireMember
  members: WireMember[]
  wallMs: number
  uptimeMs: number
  rings: WireRing[]
}

export namespace WireHello {
  let _codec: Codec<WireHello>

  export const codec = (): Codec<WireHello> => {
    if (_codec == null) {
      _codec = message<WireHello>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.mesh != null && obj.mesh !== '')) {
          w.uint32(10)
          w.string(obj.mesh)
        }

        if ((obj.minor != null && obj.minor !== 0)) {
          w.uint32(16)
          w.uint32(obj.minor)
        }

        if ((obj.replicas != null && obj.replicas !== 0)) {
          w.uint32(24)
          w.uint32(obj.replicas)
        }

        if ((obj.partitions != null && obj.partitions !== 0)) {
          w.uint32(32)
          w.uint32(obj.partitions)
        }

        if ((obj.virtualNodes != null && obj.virtualNodes !== 0)) {
          w.uint32(40)
          w.uint32(obj.virtualNodes)
        }

        if ((obj.tombstoneGraceMs != null && obj.tombstoneGraceMs !== 0)) {
          w.uint32(48)
          w.uint64Number(obj.tombstoneGraceMs)
        }

        if ((obj.instance != null && obj.instance !== '')) {
          w.uint32(58)
          w.string(obj.instance)
        }

        if (obj.clock != null) {
          w.uint32(66)
          WireTimestamp.codec().encode(obj.clock, w)
        }

        if (obj.self != null) {
          w.uint32(74)
          WireMember.codec().encode(obj.self, w)
        }

        if (obj.members != null) {
          for (const value of obj.members) {
            w.uint32(82)
            WireMember.codec().encode(value, w)
          }
        }

        if ((obj.wallMs != null && obj.wallMs !== 0)) {
          w.uint32(88)
          w.uint64Number(obj.wallMs)
        }

        if ((obj.uptimeMs != null && obj.uptimeMs !== 0)) {
          w.uint32(96)
          w.uint64Number(obj.uptimeMs)
        }

        if (obj.rings != null) {
          for (const value of obj.rings) {
            w.uint32(106)
            WireRing.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          mesh: '',
          minor: 0,
          replicas: 0,
          partitions: 0,
          virtualNodes: 0,
          tombstoneGraceMs: 0,
          instance: '',
          members: [],
          wallMs: 0,
          uptimeMs: 0,
          rings: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.mesh = reader.string()
              break
            }
            case 2: {
              obj.minor = reader.uint32()
              break
            }
            case 3: {
              obj.replicas = reader.uint32()
              break
            }
            case 4: {
              obj.partitions = reader.uint32()
              break
            }
            case 5: {
              obj.virtualNodes = reader.uint32()
              break
            }
            case 6: {
              obj.tombstoneGraceMs = reader.uint64Number()
              break
            }
            case 7: {
              obj.instance = reader.string()
              break
            }
            case 8: {
              obj.clock = WireTimestamp.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.clock
              })
              break
            }
            case 9: {
              obj.self = WireMember.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.self
              })
              break
            }
            case 10: {
              if (opts.limits?.members != null && obj.members.length === opts.limits.members) {
                throw new MaxLengthError('Decode error - map field "members" had too many elements')
              }

              obj.members.push(WireMember.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.members$
              }))
              break
            }
            case 11: {
              obj.wallMs = reader.uint64Number()
              break
            }
            case 12: {
              obj.uptimeMs = reader.uint64Number()
              break
            }
            case 13: {
              if (opts.limits?.rings != null && obj.rings.length === opts.limits.rings) {
                throw new MaxLengthError('Decode error - map field "rings" had too many elements')
              }

              obj.rings.push(WireRing.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.rings$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireHello>): Uint8Array => {
    return encodeMessage(obj, WireHello.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireHello>): WireHello => {
    return decodeMessage(buf, WireHello.codec(), opts)
  }
}

export interface WireRefusal {
  field: string
  ours: string
  theirs: string
}

export namespace WireRefusal {
  let _codec: Codec<WireRefusal>

  export const codec = (): Codec<WireRefusal> => {
    if (_codec == null) {
      _codec = message<WireRefusal>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.field != null && obj.field !== '')) {
          w.uint32(10)
          w.string(obj.field)
        }

        if ((obj.ours != null && obj.ours !== '')) {
          w.uint32(18)
          w.string(obj.ours)
        }

        if ((obj.theirs != null && obj.theirs !== '')) {
          w.uint32(26)
          w.string(obj.theirs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          field: '',
          ours: '',
          theirs: ''
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.field = reader.string()
              break
            }
            case 2: {
              obj.ours = reader.string()
              break
            }
            case 3: {
              obj.theirs = reader.string()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireRefusal>): Uint8Array => {
    return encodeMessage(obj, WireRefusal.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireRefusal>): WireRefusal => {
    return decodeMessage(buf, WireRefusal.codec(), opts)
  }
}

export interface WireHelloReply {
  welcome?: WireHello
  refusal?: WireRefusal
}

export namespace WireHelloReply {
  let _codec: Codec<WireHelloReply>

  export const codec = (): Codec<WireHelloReply> => {
    if (_codec == null) {
      _codec = message<WireHelloReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.welcome != null) {
          w.uint32(10)
          WireHello.codec().encode(obj.welcome, w)
        }

        if (obj.refusal != null) {
          w.uint32(18)
          WireRefusal.codec().encode(obj.refusal, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.welcome = WireHello.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.welcome
              })
              break
            }
            case 2: {
              obj.refusal = WireRefusal.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.refusal
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireHelloReply>): Uint8Array => {
    return encodeMessage(obj, WireHelloReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireHelloReply>): WireHelloReply => {
    return decodeMessage(buf, WireHelloReply.codec(), opts)
  }
}

export interface WireHeartbeat {
  incarnation: number
  sequence: number
  uptimeMs: number
  loopLagMs: number
  status: WireStatus
  name: string
  addresses: string[]
  opsSequence: number
  instance: string
  opsEpoch: number
  wallMs: number
  settledRing: bigint
  role: WireRole
  outlived?: number
  timestampMs: number
  intervalMs: number
}

export namespace WireHeartbeat {
  let _codec: Codec<WireHeartbeat>

  export const codec = (): Codec<WireHeartbeat> => {
    if (_codec == null) {
      _codec = message<WireHeartbeat>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.incarnation != null && obj.incarnation !== 0)) {
          w.uint32(8)
          w.uint64Number(obj.incarnation)
        }

        if ((obj.sequence != null && obj.sequence !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.sequence)
        }

        if ((obj.uptimeMs != null && obj.uptimeMs !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.uptimeMs)
        }

        if ((obj.loopLagMs != null && obj.loopLagMs !== 0)) {
          w.uint32(32)
          w.uint32(obj.loopLagMs)
        }

        if (obj.status != null && __WireStatusValues[obj.status] !== 0) {
          w.uint32(40)
          WireStatus.codec().encode(obj.status, w)
        }

        if ((obj.name != null && obj.name !== '')) {
          w.uint32(50)
          w.string(obj.name)
        }

        if (obj.addresses != null) {
          for (const value of obj.addresses) {
            w.uint32(58)
            w.string(value)
          }
        }

        if ((obj.opsSequence != null && obj.opsSequence !== 0)) {
          w.uint32(72)
          w.uint64Number(obj.opsSequence)
        }

        if ((obj.instance != null && obj.instance !== '')) {
          w.uint32(82)
          w.string(obj.instance)
        }

        if ((obj.opsEpoch != null && obj.opsEpoch !== 0)) {
          w.uint32(88)
          w.uint64Number(obj.opsEpoch)
        }

        if ((obj.wallMs != null && obj.wallMs !== 0)) {
          w.uint32(96)
          w.uint64Number(obj.wallMs)
        }

        if ((obj.settledRing != null && obj.settledRing !== 0n)) {
          w.uint32(113)
          w.fixed64(obj.settledRing)
        }

        if (obj.role != null && __WireRoleValues[obj.role] !== 0) {
          w.uint32(120)
          WireRole.codec().encode(obj.role, w)
        }

        if (obj.outlived != null) {
          w.uint32(128)
          w.uint64Number(obj.outlived)
        }

        if ((obj.timestampMs != null && obj.timestampMs !== 0)) {
          w.uint32(136)
          w.uint64Number(obj.timestampMs)
        }

        if ((obj.intervalMs != null && obj.intervalMs !== 0)) {
          w.uint32(144)
          w.uint32(obj.intervalMs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          incarnation: 0,
          sequence: 0,
          uptimeMs: 0,
          loopLagMs: 0,
          status: WireStatus.JOINING,
          name: '',
          addresses: [],
          opsSequence: 0,
          instance: '',
          opsEpoch: 0,
          wallMs: 0,
          settledRing: 0n,
          role: WireRole.OWNER,
          timestampMs: 0,
          intervalMs: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.incarnation = reader.uint64Number()
              break
            }
            case 2: {
              obj.sequence = reader.uint64Number()
              break
            }
            case 3: {
              obj.uptimeMs = reader.uint64Number()
              break
            }
            case 4: {
              obj.loopLagMs = reader.uint32()
              break
            }
            case 5: {
              obj.status = WireStatus.codec().decode(reader)
              break
            }
            case 6: {
              obj.name = reader.string()
              break
            }
            case 7: {
              if (opts.limits?.addresses != null && obj.addresses.length === opts.limits.addresses) {
                throw new MaxLengthError('Decode error - map field "addresses" had too many elements')
              }

              obj.addresses.push(reader.string())
              break
            }
            case 9: {
              obj.opsSequence = reader.uint64Number()
              break
            }
            case 10: {
              obj.instance = reader.string()
              break
            }
            case 11: {
              obj.opsEpoch = reader.uint64Number()
              break
            }
            case 12: {
              obj.wallMs = reader.uint64Number()
              break
            }
            case 14: {
              obj.settledRing = reader.fixed64()
              break
            }
            case 15: {
              obj.role = WireRole.codec().decode(reader)
              break
            }
            case 16: {
              obj.outlived = reader.uint64Number()
              break
            }
            case 17: {
              obj.timestampMs = reader.uint64Number()
              break
            }
            case 18: {
              obj.intervalMs = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireHeartbeat>): Uint8Array => {
    return encodeMessage(obj, WireHeartbeat.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireHeartbeat>): WireHeartbeat => {
    return decodeMessage(buf, WireHeartbeat.codec(), opts)
  }
}

export interface WireNews {
  id: string
  incarnation: number
  state: WireState
  refused: boolean
  member?: WireMember
  opsEpoch: number
  opsSequence: number
}

export namespace WireNews {
  let _codec: Codec<WireNews>

  export const codec = (): Codec<WireNews> => {
    if (_codec == null) {
      _codec = message<WireNews>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.id != null && obj.id !== '')) {
          w.uint32(10)
          w.string(obj.id)
        }

        if ((obj.incarnation != null && obj.incarnation !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.incarnation)
        }

        if (obj.state != null && __WireStateValues[obj.state] !== 0) {
          w.uint32(24)
          WireState.codec().encode(obj.state, w)
        }

        if ((obj.refused != null && obj.refused !== false)) {
          w.uint32(32)
          w.bool(obj.refused)
        }

        if (obj.member != null) {
          w.uint32(42)
          WireMember.codec().encode(obj.member, w)
        }

        if ((obj.opsEpoch != null && obj.opsEpoch !== 0)) {
          w.uint32(48)
          w.uint64Number(obj.opsEpoch)
        }

        if ((obj.opsSequence != null && obj.opsSequence !== 0)) {
          w.uint32(56)
          w.uint64Number(obj.opsSequence)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          id: '',
          incarnation: 0,
          state: WireState.ALIVE,
          refused: false,
          opsEpoch: 0,
          opsSequence: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.id = reader.string()
              break
            }
            case 2: {
              obj.incarnation = reader.uint64Number()
              break
            }
            case 3: {
              obj.state = WireState.codec().decode(reader)
              break
            }
            case 4: {
              obj.refused = reader.bool()
              break
            }
            case 5: {
              obj.member = WireMember.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.member
              })
              break
            }
            case 6: {
              obj.opsEpoch = reader.uint64Number()
              break
            }
            case 7: {
              obj.opsSequence = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireNews>): Uint8Array => {
    return encodeMessage(obj, WireNews.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireNews>): WireNews => {
    return decodeMessage(buf, WireNews.codec(), opts)
  }
}

export interface WireMembersNews {
  news: WireNews[]
}

export namespace WireMembersNews {
  let _codec: Codec<WireMembersNews>

  export const codec = (): Codec<WireMembersNews> => {
    if (_codec == null) {
      _codec = message<WireMembersNews>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.news != null) {
          for (const value of obj.news) {
            w.uint32(10)
            WireNews.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          news: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.news != null && obj.news.length === opts.limits.news) {
                throw new MaxLengthError('Decode error - map field "news" had too many elements')
              }

              obj.news.push(WireNews.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.news$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireMembersNews>): Uint8Array => {
    return encodeMessage(obj, WireMembersNews.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireMembersNews>): WireMembersNews => {
    return decodeMessage(buf, WireMembersNews.codec(), opts)
  }
}

export interface WireRecord {
  member: number
  cache: number
  key: string
  wallMs: number
  counter: number
  createdAt: number
  expiresAt: number
  text?: Uint8Array
  binary?: Uint8Array
  deleted: boolean
}

export namespace WireRecord {
  let _codec: Codec<WireRecord>

  export const codec = (): Codec<WireRecord> => {
    if (_codec == null) {
      _codec = message<WireRecord>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.member != null && obj.member !== 0)) {
          w.uint32(8)
          w.uint32(obj.member)
        }

        if ((obj.cache != null && obj.cache !== 0)) {
          w.uint32(16)
          w.uint32(obj.cache)
        }

        if ((obj.key != null && obj.key !== '')) {
          w.uint32(26)
          w.string(obj.key)
        }

        if ((obj.wallMs != null && obj.wallMs !== 0)) {
          w.uint32(32)
          w.uint64Number(obj.wallMs)
        }

        if ((obj.counter != null && obj.counter !== 0)) {
          w.uint32(40)
          w.uint32(obj.counter)
        }

        if ((obj.createdAt != null && obj.createdAt !== 0)) {
          w.uint32(48)
          w.uint64Number(obj.createdAt)
        }

        if ((obj.expiresAt != null && obj.expiresAt !== 0)) {
          w.uint32(56)
          w.uint64Number(obj.expiresAt)
        }

        if (obj.text != null) {
          w.uint32(66)
          w.bytes(obj.text)
        }

        if (obj.binary != null) {
          w.uint32(74)
          w.bytes(obj.binary)
        }

        if ((obj.deleted != null && obj.deleted !== false)) {
          w.uint32(80)
          w.bool(obj.deleted)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          member: 0,
          cache: 0,
          key: '',
          wallMs: 0,
          counter: 0,
          createdAt: 0,
          expiresAt: 0,
          deleted: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.member = reader.uint32()
              break
            }
            case 2: {
              obj.cache = reader.uint32()
              break
            }
            case 3: {
              obj.key = reader.string()
              break
            }
            case 4: {
              obj.wallMs = reader.uint64Number()
              break
            }
            case 5: {
              obj.counter = reader.uint32()
              break
            }
            case 6: {
              obj.createdAt = reader.uint64Number()
              break
            }
            case 7: {
              obj.expiresAt = reader.uint64Number()
              break
            }
            case 8: {
              obj.text = reader.bytes()
              break
            }
            case 9: {
              obj.binary = reader.bytes()
              break
            }
            case 10: {
              obj.deleted = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireRecord>): Uint8Array => {
    return encodeMessage(obj, WireRecord.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireRecord>): WireRecord => {
    return decodeMessage(buf, WireRecord.codec(), opts)
  }
}

export interface WireMarker {
  member: number
  cache: number
  wallMs: number
  counter: number
  tag?: number
}

export namespace WireMarker {
  let _codec: Codec<WireMarker>

  export const codec = (): Codec<WireMarker> => {
    if (_codec == null) {
      _codec = message<WireMarker>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.member != null && obj.member !== 0)) {
          w.uint32(8)
          w.uint32(obj.member)
        }

        if ((obj.cache != null && obj.cache !== 0)) {
          w.uint32(16)
          w.uint32(obj.cache)
        }

        if ((obj.wallMs != null && obj.wallMs !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.wallMs)
        }

        if ((obj.counter != null && obj.counter !== 0)) {
          w.uint32(32)
          w.uint32(obj.counter)
        }

        if (obj.tag != null) {
          w.uint32(40)
          w.uint32(obj.tag)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          member: 0,
          cache: 0,
          wallMs: 0,
          counter: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.member = reader.uint32()
              break
            }
            case 2: {
              obj.cache = reader.uint32()
              break
            }
            case 3: {
              obj.wallMs = reader.uint64Number()
              break
            }
            case 4: {
              obj.counter = reader.uint32()
              break
            }
            case 5: {
              obj.tag = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireMarker>): Uint8Array => {
    return encodeMessage(obj, WireMarker.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireMarker>): WireMarker => {
    return decodeMessage(buf, WireMarker.codec(), opts)
  }
}

export interface WireTagged {
  record: number
  tags: number[]
}

export namespace WireTagged {
  let _codec: Codec<WireTagged>

  export const codec = (): Codec<WireTagged> => {
    if (_codec == null) {
      _codec = message<WireTagged>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.record != null && obj.record !== 0)) {
          w.uint32(8)
          w.uint32(obj.record)
        }

        if (obj.tags != null) {
          for (const value of obj.tags) {
            w.uint32(16)
            w.uint32(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          record: 0,
          tags: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.record = reader.uint32()
              break
            }
            case 2: {
              if (opts.limits?.tags != null && obj.tags.length === opts.limits.tags) {
                throw new MaxLengthError('Decode error - map field "tags" had too many elements')
              }

              obj.tags.push(reader.uint32())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireTagged>): Uint8Array => {
    return encodeMessage(obj, WireTagged.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireTagged>): WireTagged => {
    return decodeMessage(buf, WireTagged.codec(), opts)
  }
}

export interface WireStub {
  member: number
  cache: number
  key: string
  wallMs: number
  counter: number
  expiresAt: number
}

export namespace WireStub {
  let _codec: Codec<WireStub>

  export const codec = (): Codec<WireStub> => {
    if (_codec == null) {
      _codec = message<WireStub>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.member != null && obj.member !== 0)) {
          w.uint32(8)
          w.uint32(obj.member)
        }

        if ((obj.cache != null && obj.cache !== 0)) {
          w.uint32(16)
          w.uint32(obj.cache)
        }

        if ((obj.key != null && obj.key !== '')) {
          w.uint32(26)
          w.string(obj.key)
        }

        if ((obj.wallMs != null && obj.wallMs !== 0)) {
          w.uint32(32)
          w.uint64Number(obj.wallMs)
        }

        if ((obj.counter != null && obj.counter !== 0)) {
          w.uint32(40)
          w.uint32(obj.counter)
        }

        if ((obj.expiresAt != null && obj.expiresAt !== 0)) {
          w.uint32(48)
          w.uint64Number(obj.expiresAt)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          member: 0,
          cache: 0,
          key: '',
          wallMs: 0,
          counter: 0,
          expiresAt: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.member = reader.uint32()
              break
            }
            case 2: {
              obj.cache = reader.uint32()
              break
            }
            case 3: {
              obj.key = reader.string()
              break
            }
            case 4: {
              obj.wallMs = reader.uint64Number()
              break
            }
            case 5: {
              obj.counter = reader.uint32()
              break
            }
            case 6: {
              obj.expiresAt = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireStub>): Uint8Array => {
    return encodeMessage(obj, WireStub.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireStub>): WireStub => {
    return decodeMessage(buf, WireStub.codec(), opts)
  }
}

export interface WireRecords {
  members: string[]
  caches: string[]
  records: WireRecord[]
  markers: WireMarker[]
  stubs: WireStub[]
  tags: string[]
  tagged: WireTagged[]
}

export namespace WireRecords {
  let _codec: Codec<WireRecords>

  export const codec = (): Codec<WireRecords> => {
    if (_codec == null) {
      _codec = message<WireRecords>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.members != null) {
          for (const value of obj.members) {
            w.uint32(10)
            w.string(value)
          }
        }

        if (obj.caches != null) {
          for (const value of obj.caches) {
            w.uint32(18)
            w.string(value)
          }
        }

        if (obj.records != null) {
          for (const value of obj.records) {
            w.uint32(26)
            WireRecord.codec().encode(value, w)
          }
        }

        if (obj.markers != null) {
          for (const value of obj.markers) {
            w.uint32(34)
            WireMarker.codec().encode(value, w)
          }
        }

        if (obj.stubs != null) {
          for (const value of obj.stubs) {
            w.uint32(42)
            WireStub.codec().encode(value, w)
          }
        }

        if (obj.tags != null) {
          for (const value of obj.tags) {
            w.uint32(50)
            w.string(value)
          }
        }

        if (obj.tagged != null) {
          for (const value of obj.tagged) {
            w.uint32(58)
            WireTagged.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          members: [],
          caches: [],
          records: [],
          markers: [],
          stubs: [],
          tags: [],
          tagged: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.members != null && obj.members.length === opts.limits.members) {
                throw new MaxLengthError('Decode error - map field "members" had too many elements')
              }

              obj.members.push(reader.string())
              break
            }
            case 2: {
              if (opts.limits?.caches != null && obj.caches.length === opts.limits.caches) {
                throw new MaxLengthError('Decode error - map field "caches" had too many elements')
              }

              obj.caches.push(reader.string())
              break
            }
            case 3: {
              if (opts.limits?.records != null && obj.records.length === opts.limits.records) {
                throw new MaxLengthError('Decode error - map field "records" had too many elements')
              }

              obj.records.push(WireRecord.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records$
              }))
              break
            }
            case 4: {
              if (opts.limits?.markers != null && obj.markers.length === opts.limits.markers) {
                throw new MaxLengthError('Decode error - map field "markers" had too many elements')
              }

              obj.markers.push(WireMarker.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.markers$
              }))
              break
            }
            case 5: {
              if (opts.limits?.stubs != null && obj.stubs.length === opts.limits.stubs) {
                throw new MaxLengthError('Decode error - map field "stubs" had too many elements')
              }

              obj.stubs.push(WireStub.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.stubs$
              }))
              break
            }
            case 6: {
              if (opts.limits?.tags != null && obj.tags.length === opts.limits.tags) {
                throw new MaxLengthError('Decode error - map field "tags" had too many elements')
              }

              obj.tags.push(reader.string())
              break
            }
            case 7: {
              if (opts.limits?.tagged != null && obj.tagged.length === opts.limits.tagged) {
                throw new MaxLengthError('Decode error - map field "tagged" had too many elements')
              }

              obj.tagged.push(WireTagged.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.tagged$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireRecords>): Uint8Array => {
    return encodeMessage(obj, WireRecords.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireRecords>): WireRecords => {
    return decodeMessage(buf, WireRecords.codec(), opts)
  }
}

export interface WireBatch {
  epoch: number
  sequence: number
  records?: WireRecords
}

export namespace WireBatch {
  let _codec: Codec<WireBatch>

  export const codec = (): Codec<WireBatch> => {
    if (_codec == null) {
      _codec = message<WireBatch>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.epoch != null && obj.epoch !== 0)) {
          w.uint32(8)
          w.uint64Number(obj.epoch)
        }

        if ((obj.sequence != null && obj.sequence !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.sequence)
        }

        if (obj.records != null) {
          w.uint32(26)
          WireRecords.codec().encode(obj.records, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          epoch: 0,
          sequence: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.epoch = reader.uint64Number()
              break
            }
            case 2: {
              obj.sequence = reader.uint64Number()
              break
            }
            case 3: {
              obj.records = WireRecords.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireBatch>): Uint8Array => {
    return encodeMessage(obj, WireBatch.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireBatch>): WireBatch => {
    return decodeMessage(buf, WireBatch.codec(), opts)
  }
}

export interface WirePosition {
  member: string
  epoch: number
  sequence: number
}

export namespace WirePosition {
  let _codec: Codec<WirePosition>

  export const codec = (): Codec<WirePosition> => {
    if (_codec == null) {
      _codec = message<WirePosition>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.member != null && obj.member !== '')) {
          w.uint32(10)
          w.string(obj.member)
        }

        if ((obj.epoch != null && obj.epoch !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.epoch)
        }

        if ((obj.sequence != null && obj.sequence !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.sequence)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          member: '',
          epoch: 0,
          sequence: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.member = reader.string()
              break
            }
            case 2: {
              obj.epoch = reader.uint64Number()
              break
            }
            case 3: {
              obj.sequence = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WirePosition>): Uint8Array => {
    return encodeMessage(obj, WirePosition.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WirePosition>): WirePosition => {
    return decodeMessage(buf, WirePosition.codec(), opts)
  }
}

export interface WireMoments {
  member: string
  instance: string
  runs?: Uint8Array
  oneWay: boolean
}

export namespace WireMoments {
  let _codec: Codec<WireMoments>

  export const codec = (): Codec<WireMoments> => {
    if (_codec == null) {
      _codec = message<WireMoments>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.member != null && obj.member !== '')) {
          w.uint32(10)
          w.string(obj.member)
        }

        if ((obj.instance != null && obj.instance !== '')) {
          w.uint32(18)
          w.string(obj.instance)
        }

        if (obj.runs != null) {
          w.uint32(26)
          w.bytes(obj.runs)
        }

        if ((obj.oneWay != null && obj.oneWay !== false)) {
          w.uint32(32)
          w.bool(obj.oneWay)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          member: '',
          instance: '',
          oneWay: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.member = reader.string()
              break
            }
            case 2: {
              obj.instance = reader.string()
              break
            }
            case 3: {
              obj.runs = reader.bytes()
              break
            }
            case 4: {
              obj.oneWay = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireMoments>): Uint8Array => {
    return encodeMessage(obj, WireMoments.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireMoments>): WireMoments => {
    return decodeMessage(buf, WireMoments.codec(), opts)
  }
}

export interface WireStateRequest {
  fromPartition: number
  partitions?: Uint8Array
  ring: bigint
  digests?: Uint8Array
  valuesMs: number
  tombstonesMs: number
}

export namespace WireStateRequest {
  let _codec: Codec<WireStateRequest>

  export const codec = (): Codec<WireStateRequest> => {
    if (_codec == null) {
      _codec = message<WireStateRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.fromPartition != null && obj.fromPartition !== 0)) {
          w.uint32(8)
          w.uint32(obj.fromPartition)
        }

        if (obj.partitions != null) {
          w.uint32(18)
          w.bytes(obj.partitions)
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(25)
          w.fixed64(obj.ring)
        }

        if (obj.digests != null) {
          w.uint32(34)
          w.bytes(obj.digests)
        }

        if ((obj.valuesMs != null && obj.valuesMs !== 0)) {
          w.uint32(40)
          w.uint64Number(obj.valuesMs)
        }

        if ((obj.tombstonesMs != null && obj.tombstonesMs !== 0)) {
          w.uint32(48)
          w.uint64Number(obj.tombstonesMs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          fromPartition: 0,
          ring: 0n,
          valuesMs: 0,
          tombstonesMs: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.fromPartition = reader.uint32()
              break
            }
            case 2: {
              obj.partitions = reader.bytes()
              break
            }
            case 3: {
              obj.ring = reader.fixed64()
              break
            }
            case 4: {
              obj.digests = reader.bytes()
              break
            }
            case 5: {
              obj.valuesMs = reader.uint64Number()
              break
            }
            case 6: {
              obj.tombstonesMs = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireStateRequest>): Uint8Array => {
    return encodeMessage(obj, WireStateRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireStateRequest>): WireStateRequest => {
    return decodeMessage(buf, WireStateRequest.codec(), opts)
  }
}

export interface WireStatePage {
  records?: WireRecords
  nextPartition: number
  last: boolean
  positions: WirePosition[]
  clock?: WireTimestamp
  lacking?: Uint8Array
  otherRing: boolean
  moments: WireMoments[]
}

export namespace WireStatePage {
  let _codec: Codec<WireStatePage>

  export const codec = (): Codec<WireStatePage> => {
    if (_codec == null) {
      _codec = message<WireStatePage>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null) {
          w.uint32(10)
          WireRecords.codec().encode(obj.records, w)
        }

        if ((obj.nextPartition != null && obj.nextPartition !== 0)) {
          w.uint32(16)
          w.uint32(obj.nextPartition)
        }

        if ((obj.last != null && obj.last !== false)) {
          w.uint32(24)
          w.bool(obj.last)
        }

        if (obj.positions != null) {
          for (const value of obj.positions) {
            w.uint32(34)
            WirePosition.codec().encode(value, w)
          }
        }

        if (obj.clock != null) {
          w.uint32(42)
          WireTimestamp.codec().encode(obj.clock, w)
        }

        if (obj.lacking != null) {
          w.uint32(50)
          w.bytes(obj.lacking)
        }

        if ((obj.otherRing != null && obj.otherRing !== false)) {
          w.uint32(56)
          w.bool(obj.otherRing)
        }

        if (obj.moments != null) {
          for (const value of obj.moments) {
            w.uint32(66)
            WireMoments.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          nextPartition: 0,
          last: false,
          positions: [],
          otherRing: false,
          moments: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.records = WireRecords.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records
              })
              break
            }
            case 2: {
              obj.nextPartition = reader.uint32()
              break
            }
            case 3: {
              obj.last = reader.bool()
              break
            }
            case 4: {
              if (opts.limits?.positions != null && obj.positions.length === opts.limits.positions) {
                throw new MaxLengthError('Decode error - map field "positions" had too many elements')
              }

              obj.positions.push(WirePosition.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.positions$
              }))
              break
            }
            case 5: {
              obj.clock = WireTimestamp.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.clock
              })
              break
            }
            case 6: {
              obj.lacking = reader.bytes()
              break
            }
            case 7: {
              obj.otherRing = reader.bool()
              break
            }
            case 8: {
              if (opts.limits?.moments != null && obj.moments.length === opts.limits.moments) {
                throw new MaxLengthError('Decode error - map field "moments" had too many elements')
              }

              obj.moments.push(WireMoments.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.moments$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireStatePage>): Uint8Array => {
    return encodeMessage(obj, WireStatePage.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireStatePage>): WireStatePage => {
    return decodeMessage(buf, WireStatePage.codec(), opts)
  }
}

export interface WireKey {
  cache: string
  key: string
}

export namespace WireKey {
  let _codec: Codec<WireKey>

  export const codec = (): Codec<WireKey> => {
    if (_codec == null) {
      _codec = message<WireKey>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.cache != null && obj.cache !== '')) {
          w.uint32(10)
          w.string(obj.cache)
        }

        if ((obj.key != null && obj.key !== '')) {
          w.uint32(18)
          w.string(obj.key)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          cache: '',
          key: ''
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.cache = reader.string()
              break
            }
            case 2: {
              obj.key = reader.string()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireKey>): Uint8Array => {
    return encodeMessage(obj, WireKey.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireKey>): WireKey => {
    return decodeMessage(buf, WireKey.codec(), opts)
  }
}

export interface WireConfirmRequest {
  epoch: number
  sequence: number
}

export namespace WireConfirmRequest {
  let _codec: Codec<WireConfirmRequest>

  export const codec = (): Codec<WireConfirmRequest> => {
    if (_codec == null) {
      _codec = message<WireConfirmRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.epoch != null && obj.epoch !== 0)) {
          w.uint32(8)
          w.uint64Number(obj.epoch)
        }

        if ((obj.sequence != null && obj.sequence !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.sequence)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          epoch: 0,
          sequence: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.epoch = reader.uint64Number()
              break
            }
            case 2: {
              obj.sequence = reader.uint64Number()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireConfirmRequest>): Uint8Array => {
    return encodeMessage(obj, WireConfirmRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireConfirmRequest>): WireConfirmRequest => {
    return decodeMessage(buf, WireConfirmRequest.codec(), opts)
  }
}

export interface WireConfirmReply {
  applied: boolean
}

export namespace WireConfirmReply {
  let _codec: Codec<WireConfirmReply>

  export const codec = (): Codec<WireConfirmReply> => {
    if (_codec == null) {
      _codec = message<WireConfirmReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.applied != null && obj.applied !== false)) {
          w.uint32(8)
          w.bool(obj.applied)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          applied: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.applied = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireConfirmReply>): Uint8Array => {
    return encodeMessage(obj, WireConfirmReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireConfirmReply>): WireConfirmReply => {
    return decodeMessage(buf, WireConfirmReply.codec(), opts)
  }
}

export interface WireReplicateRequest {
  records?: WireRecords
  ring: bigint
}

export namespace WireReplicateRequest {
  let _codec: Codec<WireReplicateRequest>

  export const codec = (): Codec<WireReplicateRequest> => {
    if (_codec == null) {
      _codec = message<WireReplicateRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null) {
          w.uint32(10)
          WireRecords.codec().encode(obj.records, w)
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(17)
          w.fixed64(obj.ring)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          ring: 0n
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.records = WireRecords.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records
              })
              break
            }
            case 2: {
              obj.ring = reader.fixed64()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireReplicateRequest>): Uint8Array => {
    return encodeMessage(obj, WireReplicateRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireReplicateRequest>): WireReplicateRequest => {
    return decodeMessage(buf, WireReplicateRequest.codec(), opts)
  }
}

export interface WireReplicateReply {
  refused: number
  ring: bigint
  foreign: number[]
}

export namespace WireReplicateReply {
  let _codec: Codec<WireReplicateReply>

  export const codec = (): Codec<WireReplicateReply> => {
    if (_codec == null) {
      _codec = message<WireReplicateReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.refused != null && obj.refused !== 0)) {
          w.uint32(8)
          w.uint32(obj.refused)
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(17)
          w.fixed64(obj.ring)
        }

        if (obj.foreign != null) {
          for (const value of obj.foreign) {
            w.uint32(24)
            w.uint32(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          refused: 0,
          ring: 0n,
          foreign: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.refused = reader.uint32()
              break
            }
            case 2: {
              obj.ring = reader.fixed64()
              break
            }
            case 3: {
              if (opts.limits?.foreign != null && obj.foreign.length === opts.limits.foreign) {
                throw new MaxLengthError('Decode error - map field "foreign" had too many elements')
              }

              obj.foreign.push(reader.uint32())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireReplicateReply>): Uint8Array => {
    return encodeMessage(obj, WireReplicateReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireReplicateReply>): WireReplicateReply => {
    return decodeMessage(buf, WireReplicateReply.codec(), opts)
  }
}

export interface WireReadRequest {
  keys: WireKey[]
  ring: bigint
  large: boolean
}

export namespace WireReadRequest {
  let _codec: Codec<WireReadRequest>

  export const codec = (): Codec<WireReadRequest> => {
    if (_codec == null) {
      _codec = message<WireReadRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.keys != null) {
          for (const value of obj.keys) {
            w.uint32(10)
            WireKey.codec().encode(value, w)
          }
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(17)
          w.fixed64(obj.ring)
        }

        if ((obj.large != null && obj.large !== false)) {
          w.uint32(24)
          w.bool(obj.large)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          keys: [],
          ring: 0n,
          large: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.keys != null && obj.keys.length === opts.limits.keys) {
                throw new MaxLengthError('Decode error - map field "keys" had too many elements')
              }

              obj.keys.push(WireKey.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.keys$
              }))
              break
            }
            case 2: {
              obj.ring = reader.fixed64()
              break
            }
            case 3: {
              obj.large = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireReadRequest>): Uint8Array => {
    return encodeMessage(obj, WireReadRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireReadRequest>): WireReadRequest => {
    return decodeMessage(buf, WireReadRequest.codec(), opts)
  }
}

export interface WireReadReply {
  records?: WireRecords
  ring: bigint
  open: number[]
  markers: number
}

export namespace WireReadReply {
  let _codec: Codec<WireReadReply>

  export const codec = (): Codec<WireReadReply> => {
    if (_codec == null) {
      _codec = message<WireReadReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null) {
          w.uint32(10)
          WireRecords.codec().encode(obj.records, w)
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(17)
          w.fixed64(obj.ring)
        }

        if (obj.open != null) {
          for (const value of obj.open) {
            w.uint32(24)
            w.uint32(value)
          }
        }

        if ((obj.markers != null && obj.markers !== 0)) {
          w.uint32(37)
          w.fixed32(obj.markers)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          ring: 0n,
          open: [],
          markers: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.records = WireRecords.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records
              })
              break
            }
            case 2: {
              obj.ring = reader.fixed64()
              break
            }
            case 3: {
              if (opts.limits?.open != null && obj.open.length === opts.limits.open) {
                throw new MaxLengthError('Decode error - map field "open" had too many elements')
              }

              obj.open.push(reader.uint32())
              break
            }
            case 4: {
              obj.markers = reader.fixed32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireReadReply>): Uint8Array => {
    return encodeMessage(obj, WireReadReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireReadReply>): WireReadReply => {
    return decodeMessage(buf, WireReadReply.codec(), opts)
  }
}

export interface WireScanRequest {
  cache: string
  partitions?: Uint8Array
  fromPartition: number
  countOnly: boolean
}

export namespace WireScanRequest {
  let _codec: Codec<WireScanRequest>

  export const codec = (): Codec<WireScanRequest> => {
    if (_codec == null) {
      _codec = message<WireScanRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.cache != null && obj.cache !== '')) {
          w.uint32(10)
          w.string(obj.cache)
        }

        if (obj.partitions != null) {
          w.uint32(18)
          w.bytes(obj.partitions)
        }

        if ((obj.fromPartition != null && obj.fromPartition !== 0)) {
          w.uint32(24)
          w.uint32(obj.fromPartition)
        }

        if ((obj.countOnly != null && obj.countOnly !== false)) {
          w.uint32(32)
          w.bool(obj.countOnly)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          cache: '',
          fromPartition: 0,
          countOnly: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.cache = reader.string()
              break
            }
            case 2: {
              obj.partitions = reader.bytes()
              break
            }
            case 3: {
              obj.fromPartition = reader.uint32()
              break
            }
            case 4: {
              obj.countOnly = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireScanRequest>): Uint8Array => {
    return encodeMessage(obj, WireScanRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireScanRequest>): WireScanRequest => {
    return decodeMessage(buf, WireScanRequest.codec(), opts)
  }
}

export interface WireScanReply {
  keys: string[]
  count: number
  nextPartition: number
  lacking?: Uint8Array
}

export namespace WireScanReply {
  let _codec: Codec<WireScanReply>

  export const codec = (): Codec<WireScanReply> => {
    if (_codec == null) {
      _codec = message<WireScanReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.keys != null) {
          for (const value of obj.keys) {
            w.uint32(10)
            w.string(value)
          }
        }

        if ((obj.count != null && obj.count !== 0)) {
          w.uint32(16)
          w.uint32(obj.count)
        }

        if ((obj.nextPartition != null && obj.nextPartition !== 0)) {
          w.uint32(24)
          w.uint32(obj.nextPartition)
        }

        if (obj.lacking != null) {
          w.uint32(34)
          w.bytes(obj.lacking)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          keys: [],
          count: 0,
          nextPartition: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.keys != null && obj.keys.length === opts.limits.keys) {
                throw new MaxLengthError('Decode error - map field "keys" had too many elements')
              }

              obj.keys.push(reader.string())
              break
            }
            case 2: {
              obj.count = reader.uint32()
              break
            }
            case 3: {
              obj.nextPartition = reader.uint32()
              break
            }
            case 4: {
              obj.lacking = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireScanReply>): Uint8Array => {
    return encodeMessage(obj, WireScanReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireScanReply>): WireScanReply => {
    return decodeMessage(buf, WireScanReply.codec(), opts)
  }
}

export interface WireCompareRequest {
  root: bigint
  valuesS: number
  tombstonesS: number
  positions: boolean
  givenUp?: Uint8Array
}

export namespace WireCompareRequest {
  let _codec: Codec<WireCompareRequest>

  export const codec = (): Codec<WireCompareRequest> => {
    if (_codec == null) {
      _codec = message<WireCompareRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.root != null && obj.root !== 0n)) {
          w.uint32(9)
          w.fixed64(obj.root)
        }

        if ((obj.valuesS != null && obj.valuesS !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.valuesS)
        }

        if ((obj.tombstonesS != null && obj.tombstonesS !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.tombstonesS)
        }

        if ((obj.positions != null && obj.positions !== false)) {
          w.uint32(32)
          w.bool(obj.positions)
        }

        if (obj.givenUp != null) {
          w.uint32(42)
          w.bytes(obj.givenUp)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          root: 0n,
          valuesS: 0,
          tombstonesS: 0,
          positions: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.root = reader.fixed64()
              break
            }
            case 2: {
              obj.valuesS = reader.uint64Number()
              break
            }
            case 3: {
              obj.tombstonesS = reader.uint64Number()
              break
            }
            case 4: {
              obj.positions = reader.bool()
              break
            }
            case 5: {
              obj.givenUp = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireCompareRequest>): Uint8Array => {
    return encodeMessage(obj, WireCompareRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireCompareRequest>): WireCompareRequest => {
    return decodeMessage(buf, WireCompareRequest.codec(), opts)
  }
}

export interface WireCompareReply {
  equal: boolean
  valuesS: number
  tombstonesS: number
  ring: bigint
  markers: number
  excluded?: Uint8Array
  nodes?: Uint8Array
  positions: WirePosition[]
}

export namespace WireCompareReply {
  let _codec: Codec<WireCompareReply>

  export const codec = (): Codec<WireCompareReply> => {
    if (_codec == null) {
      _codec = message<WireCompareReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.equal != null && obj.equal !== false)) {
          w.uint32(8)
          w.bool(obj.equal)
        }

        if ((obj.valuesS != null && obj.valuesS !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.valuesS)
        }

        if ((obj.tombstonesS != null && obj.tombstonesS !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.tombstonesS)
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(33)
          w.fixed64(obj.ring)
        }

        if ((obj.markers != null && obj.markers !== 0)) {
          w.uint32(45)
          w.fixed32(obj.markers)
        }

        if (obj.excluded != null) {
          w.uint32(50)
          w.bytes(obj.excluded)
        }

        if (obj.nodes != null) {
          w.uint32(58)
          w.bytes(obj.nodes)
        }

        if (obj.positions != null) {
          for (const value of obj.positions) {
            w.uint32(66)
            WirePosition.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          equal: false,
          valuesS: 0,
          tombstonesS: 0,
          ring: 0n,
          markers: 0,
          positions: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.equal = reader.bool()
              break
            }
            case 2: {
              obj.valuesS = reader.uint64Number()
              break
            }
            case 3: {
              obj.tombstonesS = reader.uint64Number()
              break
            }
            case 4: {
              obj.ring = reader.fixed64()
              break
            }
            case 5: {
              obj.markers = reader.fixed32()
              break
            }
            case 6: {
              obj.excluded = reader.bytes()
              break
            }
            case 7: {
              obj.nodes = reader.bytes()
              break
            }
            case 8: {
              if (opts.limits?.positions != null && obj.positions.length === opts.limits.positions) {
                throw new MaxLengthError('Decode error - map field "positions" had too many elements')
              }

              obj.positions.push(WirePosition.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.positions$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireCompareReply>): Uint8Array => {
    return encodeMessage(obj, WireCompareReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireCompareReply>): WireCompareReply => {
    return decodeMessage(buf, WireCompareReply.codec(), opts)
  }
}

export interface WireNarrowRequest {
  ring: bigint
  seed: number
  excluded?: Uint8Array
  nodes?: Uint8Array
  givenUp?: Uint8Array
}

export namespace WireNarrowRequest {
  let _codec: Codec<WireNarrowRequest>

  export const codec = (): Codec<WireNarrowRequest> => {
    if (_codec == null) {
      _codec = message<WireNarrowRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(9)
          w.fixed64(obj.ring)
        }

        if ((obj.seed != null && obj.seed !== 0)) {
          w.uint32(21)
          w.fixed32(obj.seed)
        }

        if (obj.excluded != null) {
          w.uint32(26)
          w.bytes(obj.excluded)
        }

        if (obj.nodes != null) {
          w.uint32(34)
          w.bytes(obj.nodes)
        }

        if (obj.givenUp != null) {
          w.uint32(42)
          w.bytes(obj.givenUp)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          ring: 0n,
          seed: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.ring = reader.fixed64()
              break
            }
            case 2: {
              obj.seed = reader.fixed32()
              break
            }
            case 3: {
              obj.excluded = reader.bytes()
              break
            }
            case 4: {
              obj.nodes = reader.bytes()
              break
            }
            case 5: {
              obj.givenUp = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireNarrowRequest>): Uint8Array => {
    return encodeMessage(obj, WireNarrowRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireNarrowRequest>): WireNarrowRequest => {
    return decodeMessage(buf, WireNarrowRequest.codec(), opts)
  }
}

export interface WireNarrowReply {
  partitions?: Uint8Array
  done: number
}

export namespace WireNarrowReply {
  let _codec: Codec<WireNarrowReply>

  export const codec = (): Codec<WireNarrowReply> => {
    if (_codec == null) {
      _codec = message<WireNarrowReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.partitions != null) {
          w.uint32(10)
          w.bytes(obj.partitions)
        }

        if ((obj.done != null && obj.done !== 0)) {
          w.uint32(16)
          w.uint32(obj.done)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          done: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.partitions = reader.bytes()
              break
            }
            case 2: {
              obj.done = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireNarrowReply>): Uint8Array => {
    return encodeMessage(obj, WireNarrowReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireNarrowReply>): WireNarrowReply => {
    return decodeMessage(buf, WireNarrowReply.codec(), opts)
  }
}

export interface WireListRequest {
  ring: bigint
  seed: number
  buckets?: Uint8Array
  urgent: boolean
  moments?: Uint8Array
  givesOnly: boolean
}

export namespace WireListRequest {
  let _codec: Codec<WireListRequest>

  export const codec = (): Codec<WireListRequest> => {
    if (_codec == null) {
      _codec = message<WireListRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.ring != null && obj.ring !== 0n)) {
          w.uint32(9)
          w.fixed64(obj.ring)
        }

        if ((obj.seed != null && obj.seed !== 0)) {
          w.uint32(21)
          w.fixed32(obj.seed)
        }

        if (obj.buckets != null) {
          w.uint32(26)
          w.bytes(obj.buckets)
        }

        if ((obj.urgent != null && obj.urgent !== false)) {
          w.uint32(32)
          w.bool(obj.urgent)
        }

        if (obj.moments != null) {
          w.uint32(42)
          w.bytes(obj.moments)
        }

        if ((obj.givesOnly != null && obj.givesOnly !== false)) {
          w.uint32(48)
          w.bool(obj.givesOnly)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          ring: 0n,
          seed: 0,
          urgent: false,
          givesOnly: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.ring = reader.fixed64()
              break
            }
            case 2: {
              obj.seed = reader.fixed32()
              break
            }
            case 3: {
              obj.buckets = reader.bytes()
              break
            }
            case 4: {
              obj.urgent = reader.bool()
              break
            }
            case 5: {
              obj.moments = reader.bytes()
              break
            }
            case 6: {
              obj.givesOnly = reader.bool()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireListRequest>): Uint8Array => {
    return encodeMessage(obj, WireListRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireListRequest>): WireListRequest => {
    return decodeMessage(buf, WireListRequest.codec(), opts)
  }
}

export interface WireListReply {
  records?: WireRecords
  wanted: number[]
  done: number
  moments?: Uint8Array
}

export namespace WireListReply {
  let _codec: Codec<WireListReply>

  export const codec = (): Codec<WireListReply> => {
    if (_codec == null) {
      _codec = message<WireListReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null) {
          w.uint32(10)
          WireRecords.codec().encode(obj.records, w)
        }

        if (obj.wanted != null) {
          for (const value of obj.wanted) {
            w.uint32(16)
            w.uint32(value)
          }
        }

        if ((obj.done != null && obj.done !== 0)) {
          w.uint32(24)
          w.uint32(obj.done)
        }

        if (obj.moments != null) {
          w.uint32(34)
          w.bytes(obj.moments)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          wanted: [],
          done: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.records = WireRecords.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records
              })
              break
            }
            case 2: {
              if (opts.limits?.wanted != null && obj.wanted.length === opts.limits.wanted) {
                throw new MaxLengthError('Decode error - map field "wanted" had too many elements')
              }

              obj.wanted.push(reader.uint32())
              break
            }
            case 3: {
              obj.done = reader.uint32()
              break
            }
            case 4: {
              obj.moments = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireListReply>): Uint8Array => {
    return encodeMessage(obj, WireListReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireListReply>): WireListReply => {
    return decodeMessage(buf, WireListReply.codec(), opts)
  }
}

export interface WireExchangeRequest {
  records?: WireRecords
  agreedS: number
  markers?: Uint8Array
}

export namespace WireExchangeRequest {
  let _codec: Codec<WireExchangeRequest>

  export const codec = (): Codec<WireExchangeRequest> => {
    if (_codec == null) {
      _codec = message<WireExchangeRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null) {
          w.uint32(10)
          WireRecords.codec().encode(obj.records, w)
        }

        if ((obj.agreedS != null && obj.agreedS !== 0)) {
          w.uint32(24)
          w.uint64Number(obj.agreedS)
        }

        if (obj.markers != null) {
          w.uint32(34)
          w.bytes(obj.markers)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          agreedS: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.records = WireRecords.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records
              })
              break
            }
            case 3: {
              obj.agreedS = reader.uint64Number()
              break
            }
            case 4: {
              obj.markers = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireExchangeRequest>): Uint8Array => {
    return encodeMessage(obj, WireExchangeRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireExchangeRequest>): WireExchangeRequest => {
    return decodeMessage(buf, WireExchangeRequest.codec(), opts)
  }
}

export interface WireExchangeReply {
  records?: WireRecords
  markers?: Uint8Array
}

export namespace WireExchangeReply {
  let _codec: Codec<WireExchangeReply>

  export const codec = (): Codec<WireExchangeReply> => {
    if (_codec == null) {
      _codec = message<WireExchangeReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.records != null) {
          w.uint32(10)
          WireRecords.codec().encode(obj.records, w)
        }

        if (obj.markers != null) {
          w.uint32(18)
          w.bytes(obj.markers)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.records = WireRecords.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.records
              })
              break
            }
            case 2: {
              obj.markers = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireExchangeReply>): Uint8Array => {
    return encodeMessage(obj, WireExchangeReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireExchangeReply>): WireExchangeReply => {
    return decodeMessage(buf, WireExchangeReply.codec(), opts)
  }
}

export interface WirePingRequest {
  target?: string
}

export namespace WirePingRequest {
  let _codec: Codec<WirePingRequest>

  export const codec = (): Codec<WirePingRequest> => {
    if (_codec == null) {
      _codec = message<WirePingRequest>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.target != null) {
          w.uint32(10)
          w.string(obj.target)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {}

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.target = reader.string()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WirePingRequest>): Uint8Array => {
    return encodeMessage(obj, WirePingRequest.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WirePingRequest>): WirePingRequest => {
    return decodeMessage(buf, WirePingRequest.codec(), opts)
  }
}

export interface WirePingReply {
  incarnation?: number
  uptimeMs: number
  instance: string
  intervalMs: number
}

export namespace WirePingReply {
  let _codec: Codec<WirePingReply>

  export const codec = (): Codec<WirePingReply> => {
    if (_codec == null) {
      _codec = message<WirePingReply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.incarnation != null) {
          w.uint32(8)
          w.uint64Number(obj.incarnation)
        }

        if ((obj.uptimeMs != null && obj.uptimeMs !== 0)) {
          w.uint32(16)
          w.uint64Number(obj.uptimeMs)
        }

        if ((obj.instance != null && obj.instance !== '')) {
          w.uint32(26)
          w.string(obj.instance)
        }

        if ((obj.intervalMs != null && obj.intervalMs !== 0)) {
          w.uint32(32)
          w.uint32(obj.intervalMs)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          uptimeMs: 0,
          instance: '',
          intervalMs: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.incarnation = reader.uint64Number()
              break
            }
            case 2: {
              obj.uptimeMs = reader.uint64Number()
              break
            }
            case 3: {
              obj.instance = reader.string()
              break
            }
            case 4: {
              obj.intervalMs = reader.uint32()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WirePingReply>): Uint8Array => {
    return encodeMessage(obj, WirePingReply.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WirePingReply>): WirePingReply => {
    return decodeMessage(buf, WirePingReply.codec(), opts)
  }
}

export interface WireAsk {
  id: number
  confirm?: WireConfirmRequest
  replicate?: WireReplicateRequest
  read?: WireReadRequest
  scan?: WireScanRequest
  compare?: WireCompareRequest
  narrow?: WireNarrowRequest
  list?: WireListRequest
  exchange?: WireExchangeRequest
  ping?: WirePingRequest
}

export namespace WireAsk {
  let _codec: Codec<WireAsk>

  export const codec = (): Codec<WireAsk> => {
    if (_codec == null) {
      _codec = message<WireAsk>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.id != null && obj.id !== 0)) {
          w.uint32(8)
          w.uint32(obj.id)
        }

        if (obj.confirm != null) {
          w.uint32(18)
          WireConfirmRequest.codec().encode(obj.confirm, w)
        }

        if (obj.replicate != null) {
          w.uint32(26)
          WireReplicateRequest.codec().encode(obj.replicate, w)
        }

        if (obj.read != null) {
          w.uint32(34)
          WireReadRequest.codec().encode(obj.read, w)
        }

        if (obj.scan != null) {
          w.uint32(42)
          WireScanRequest.codec().encode(obj.scan, w)
        }

        if (obj.compare != null) {
          w.uint32(50)
          WireCompareRequest.codec().encode(obj.compare, w)
        }

        if (obj.narrow != null) {
          w.uint32(58)
          WireNarrowRequest.codec().encode(obj.narrow, w)
        }

        if (obj.list != null) {
          w.uint32(66)
          WireListRequest.codec().encode(obj.list, w)
        }

        if (obj.exchange != null) {
          w.uint32(74)
          WireExchangeRequest.codec().encode(obj.exchange, w)
        }

        if (obj.ping != null) {
          w.uint32(82)
          WirePingRequest.codec().encode(obj.ping, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          id: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.id = reader.uint32()
              break
            }
            case 2: {
              obj.confirm = WireConfirmRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.confirm
              })
              break
            }
            case 3: {
              obj.replicate = WireReplicateRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.replicate
              })
              break
            }
            case 4: {
              obj.read = WireReadRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.read
              })
              break
            }
            case 5: {
              obj.scan = WireScanRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.scan
              })
              break
            }
            case 6: {
              obj.compare = WireCompareRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.compare
              })
              break
            }
            case 7: {
              obj.narrow = WireNarrowRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.narrow
              })
              break
            }
            case 8: {
              obj.list = WireListRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.list
              })
              break
            }
            case 9: {
              obj.exchange = WireExchangeRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.exchange
              })
              break
            }
            case 10: {
              obj.ping = WirePingRequest.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.ping
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireAsk>): Uint8Array => {
    return encodeMessage(obj, WireAsk.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireAsk>): WireAsk => {
    return decodeMessage(buf, WireAsk.codec(), opts)
  }
}

export interface WireAnswer {
  id: number
  confirm?: WireConfirmReply
  replicate?: WireReplicateReply
  read?: WireReadReply
  refusal?: string
  scan?: WireScanReply
  compare?: WireCompareReply
  narrow?: WireNarrowReply
  list?: WireListReply
  exchange?: WireExchangeReply
  ping?: WirePingReply
}

export namespace WireAnswer {
  let _codec: Codec<WireAnswer>

  export const codec = (): Codec<WireAnswer> => {
    if (_codec == null) {
      _codec = message<WireAnswer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.id != null && obj.id !== 0)) {
          w.uint32(8)
          w.uint32(obj.id)
        }

        if (obj.confirm != null) {
          w.uint32(18)
          WireConfirmReply.codec().encode(obj.confirm, w)
        }

        if (obj.replicate != null) {
          w.uint32(26)
          WireReplicateReply.codec().encode(obj.replicate, w)
        }

        if (obj.read != null) {
          w.uint32(34)
          WireReadReply.codec().encode(obj.read, w)
        }

        if (obj.refusal != null) {
          w.uint32(42)
          w.string(obj.refusal)
        }

        if (obj.scan != null) {
          w.uint32(50)
          WireScanReply.codec().encode(obj.scan, w)
        }

        if (obj.compare != null) {
          w.uint32(58)
          WireCompareReply.codec().encode(obj.compare, w)
        }

        if (obj.narrow != null) {
          w.uint32(66)
          WireNarrowReply.codec().encode(obj.narrow, w)
        }

        if (obj.list != null) {
          w.uint32(74)
          WireListReply.codec().encode(obj.list, w)
        }

        if (obj.exchange != null) {
          w.uint32(82)
          WireExchangeReply.codec().encode(obj.exchange, w)
        }

        if (obj.ping != null) {
          w.uint32(90)
          WirePingReply.codec().encode(obj.ping, w)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          id: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.id = reader.uint32()
              break
            }
            case 2: {
              obj.confirm = WireConfirmReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.confirm
              })
              break
            }
            case 3: {
              obj.replicate = WireReplicateReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.replicate
              })
              break
            }
            case 4: {
              obj.read = WireReadReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.read
              })
              break
            }
            case 5: {
              obj.refusal = reader.string()
              break
            }
            case 6: {
              obj.scan = WireScanReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.scan
              })
              break
            }
            case 7: {
              obj.compare = WireCompareReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.compare
              })
              break
            }
            case 8: {
              obj.narrow = WireNarrowReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.narrow
              })
              break
            }
            case 9: {
              obj.list = WireListReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.list
              })
              break
            }
            case 10: {
              obj.exchange = WireExchangeReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.exchange
              })
              break
            }
            case 11: {
              obj.ping = WirePingReply.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.ping
              })
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireAnswer>): Uint8Array => {
    return encodeMessage(obj, WireAnswer.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireAnswer>): WireAnswer => {
    return decodeMessage(buf, WireAnswer.codec(), opts)
  }
}

export interface WireAsks {
  asks: WireAsk[]
  cancelled: number[]
}

export namespace WireAsks {
  let _codec: Codec<WireAsks>

  export const codec = (): Codec<WireAsks> => {
    if (_codec == null) {
      _codec = message<WireAsks>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.asks != null) {
          for (const value of obj.asks) {
            w.uint32(10)
            WireAsk.codec().encode(value, w)
          }
        }

        if (obj.cancelled != null) {
          for (const value of obj.cancelled) {
            w.uint32(16)
            w.uint32(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          asks: [],
          cancelled: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.asks != null && obj.asks.length === opts.limits.asks) {
                throw new MaxLengthError('Decode error - map field "asks" had too many elements')
              }

              obj.asks.push(WireAsk.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.asks$
              }))
              break
            }
            case 2: {
              if (opts.limits?.cancelled != null && obj.cancelled.length === opts.limits.cancelled) {
                throw new MaxLengthError('Decode error - map field "cancelled" had too many elements')
              }

              obj.cancelled.push(reader.uint32())
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireAsks>): Uint8Array => {
    return encodeMessage(obj, WireAsks.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireAsks>): WireAsks => {
    return decodeMessage(buf, WireAsks.codec(), opts)
  }
}

export interface WireAnswers {
  answers: WireAnswer[]
}

export namespace WireAnswers {
  let _codec: Codec<WireAnswers>

  export const codec = (): Codec<WireAnswers> => {
    if (_codec == null) {
      _codec = message<WireAnswers>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.answers != null) {
          for (const value of obj.answers) {
            w.uint32(10)
            WireAnswer.codec().encode(value, w)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          answers: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.answers != null && obj.answers.length === opts.limits.answers) {
                throw new MaxLengthError('Decode error - map field "answers" had too many elements')
              }

              obj.answers.push(WireAnswer.codec().decode(reader, reader.uint32(), {
                limits: opts.limits?.answers$
              }))
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      })
    }

    return _codec
  }

  export const encode = (obj: Partial<WireAnswers>): Uint8Array => {
    return encodeMessage(obj, WireAnswers.codec())
  }

  export const decode = (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WireAnswers>): WireAnswers => {
    return decodeMessage(buf, WireAnswers.codec(), opts)
  }
}
