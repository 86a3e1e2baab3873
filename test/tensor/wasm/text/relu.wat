;; map relu  1
(module
  (type $t0 (func (param i32 i32 i32 i32 i32 f32)))
  (import "env" "memory" (memory $env.memory 1))
  (func $run (export "run") (type $t0) (param $p0 i32) (param $p1 i32) (param $p2 i32) (param $p3 i32) (param $p4 i32) (param $p5 f32)
    (local $l6 i32) (local $l7 i32) (local $l8 v128) (local $l9 v128) (local $l10 i32) (local $l11 i32) (local $l12 v128) (local $l13 v128)
    (local.set $l9 (f32x4.splat (local.get $p5)))
    (block $B0
      (br_if $B0 (i32.lt_s (local.tee $l6 (local.get $p1)) (i32.const 1)))
      (loop $L1
        (local.set $l7 (local.get $p3))
        (local.set $l11 (i32.shr_s (local.get $p2) (i32.const 2)))
        (block $B2
          (br_if $B2 (i32.lt_s (local.tee $l10 (local.get $l11)) (i32.const 1)))
          (loop $L3
            (local.set $l8 (v128.load align=4 (local.get $l7)))
            (local.set $l12 (v128.andnot (local.get $l8) (f32x4.le (local.get $l8) (local.get $l9))))
            (v128.store align=4 (local.get $p0) (local.get $l12))
            (local.set $p0 (i32.add (local.get $p0) (i32.const 16)))
            (local.set $l7 (i32.add (local.get $l7) (i32.const 16)))
            (br_if $L3 (local.tee $l10 (i32.add (local.get $l10) (i32.const -1))))))
        (local.set $l11 (i32.and (local.get $p2) (i32.const 3)))
        (block $B4
          (br_if $B4 (i32.lt_s (local.tee $l10 (local.get $l11)) (i32.const 1)))
          (loop $L5
            (local.set $l8 (v128.load32_splat (local.get $l7)))
            (local.set $l13 (v128.andnot (local.get $l8) (f32x4.le (local.get $l8) (local.get $l9))))
            (v128.store32_lane 0 (local.get $p0) (local.get $l13))
            (local.set $p0 (i32.add (local.get $p0) (i32.const 4)))
            (local.set $l7 (i32.add (local.get $l7) (i32.const 4)))
            (br_if $L5 (local.tee $l10 (i32.add (local.get $l10) (i32.const -1))))))
        (local.set $p3 (i32.add (local.get $p3) (local.get $p4)))
        (br_if $L1 (local.tee $l6 (i32.add (local.get $l6) (i32.const -1))))))))
