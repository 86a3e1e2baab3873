import { unsigned } from './encoding.js';

/** SIMD instructions carry a prefix and a number of their own. */
const simd = (number: number): readonly number[] => [0xfd, ...unsigned(number)];

/**
 * Instructions without immediates that kernels use, by their names in the text format.
 * (WebAssembly Core Specification 2.0, appendix "Index of Instructions"; relaxed SIMD: 3.0.)
 */
export const INSTRUCTIONS = {
  'i32.eq': [0x46],
  'i32.ne': [0x47],
  'i32.lt_s': [0x48],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.and': [0x71],
  'i32.or': [0x72],
  'i32.shl': [0x74],
  'i32.shr_s': [0x75],
  'f64.add': [0xa0],
  'f64.promote_f32': [0xbb],
  'f32.add': [0x92],
  select: [0x1b],
  'f32x4.splat': simd(19),
  'f64x2.splat': simd(20),
  'i32x4.splat': simd(17),
  'v128.and': simd(78),
  'v128.andnot': simd(79),
  'v128.or': simd(80),
  'v128.xor': simd(81),
  'v128.bitselect': simd(82),
  'i32x4.lt_s': simd(57),
  'i32x4.gt_s': simd(59),
  'f32x4.eq': simd(65),
  'f32x4.ne': simd(66),
  'f32x4.lt': simd(67),
  'f32x4.gt': simd(68),
  'f32x4.le': simd(69),
  'f32x4.ge': simd(70),
  'i32x4.all_true': simd(163),
  'i32x4.add': simd(174),
  'i32x4.sub': simd(177),
  'i32x4.max_s': simd(184),
  'i64x2.shl': simd(203),
  'i64x2.shr_u': simd(205),
  'i64x2.add': simd(206),
  'f32x4.abs': simd(224),
  'f32x4.neg': simd(225),
  'f32x4.sqrt': simd(227),
  'f32x4.add': simd(228),
  'f32x4.sub': simd(229),
  'f32x4.mul': simd(230),
  'f32x4.div': simd(231),
  'f32x4.min': simd(232),
  'f32x4.max': simd(233),
  'f32x4.pmin': simd(234),
  'f32x4.pmax': simd(235),
  'f32x4.demote_f64x2_zero': simd(94),
  'f64x2.promote_low_f32x4': simd(95),
  'f64x2.convert_low_i32x4_s': simd(254),
  'f32x4.convert_i32x4_s': simd(250),
  'f64x2.eq': simd(71),
  'f64x2.lt': simd(73),
  'f64x2.abs': simd(236),
  'f64x2.neg': simd(237),
  'f64x2.sqrt': simd(239),
  'f64x2.add': simd(240),
  'f64x2.sub': simd(241),
  'f64x2.mul': simd(242),
  'f64x2.div': simd(243),
  'f64x2.pmin': simd(246),
  'f64x2.pmax': simd(247),
  'f32x4.relaxed_madd': simd(0x105),
  'f64x2.relaxed_madd': simd(0x107),
} as const satisfies Record<string, readonly number[]>;

/** The name of an instruction without immediates. */
export type Instruction = keyof typeof INSTRUCTIONS;

/** Instructions that address memory; `align` is the exponent of the alignment they promise. */
export const MEMORY_INSTRUCTIONS = {
  'i32.load': { code: [0x28], align: 2 },
  'i32.load8_u': { code: [0x2d], align: 0 },
  'f32.load': { code: [0x2a], align: 2 },
  'f64.load': { code: [0x2b], align: 2 },
  'i32.store': { code: [0x36], align: 2 },
  'i32.store8': { code: [0x3a], align: 0 },
  'f32.store': { code: [0x38], align: 2 },
  'f64.store': { code: [0x39], align: 2 },
  'v128.load': { code: simd(0), align: 2 },
  'v128.load32_splat': { code: simd(9), align: 2 },
  'v128.load64_splat': { code: simd(10), align: 2 },
  'v128.load32_zero': { code: simd(92), align: 2 },
  'v128.load64_zero': { code: simd(93), align: 2 },
  'v128.store': { code: simd(11), align: 2 },
} as const satisfies Record<string, { code: readonly number[]; align: number }>;

/** The name of an instruction that addresses memory. */
export type MemoryInstruction = keyof typeof MEMORY_INSTRUCTIONS;
