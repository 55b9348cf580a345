/// SplitMix64, for the same bits in every run (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// 2014).
package struct SplitMix: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(state: UInt64) { self.state = state }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// True so many times in 1,000.
  package mutating func chance(_ perMille: Int) -> Bool { Int.random(in: 0..<1_000, using: &self) < perMille }

  package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(bound, 1), using: &self) }
}
