internal import Crypto
internal import Schema

extension FuzzTarget {
  /// The bytes of a witness; also with the checksum that they would need.
  static let witness = FuzzTarget("witness") { bytes in
    let sum = SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    for content in [bytes, bytes + "checksum \(sum)\n".utf8] {
      guard let record = WitnessRecord(content) else { continue }
      precondition(WitnessRecord(record.encoded) == record, "a witness is not read as it was written")
      precondition(
        record.sequence < .max && record.tips.values.allSatisfy { (0..<Int.max).contains($0.seat) },
        "a witness has a number that cannot be counted on from")
    }
  }
}
