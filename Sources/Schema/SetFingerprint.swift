internal import Crypto

/// One short text for what a snapshot holds of every campaign: two reports with the same text judged the same books and
/// the same acceptances. A published shape.
package struct SetFingerprint {
  private var hash = SHA256()

  package init() {}

  /// Takes the next campaign, in the order of their ids.
  ///
  /// - Parameter tip: the chain value of its last acceptance; of none, what comes before the first.
  package mutating func add(campaign: String, quota: Int, counter: Int, coupons: Int, tip: [UInt8]) {
    hash.update(data: Array("\(campaign)\n\(quota)\n\(counter)\n\(coupons)\n".utf8) + tip)
  }

  /// The first 64 bits of the SHA-256 in lower-case hexadecimal.
  package var text: String { Hexadecimal.text(hash.finalize().prefix(8)) }
}
