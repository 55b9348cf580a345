import Crypto
import Schema
import Testing

/// What other files and other programs hold already: it never changes.
@Suite("The chain and the record of the witness are published shapes")
struct WitnessShapeTests {
  /// Computed by another implementation: Python's hashlib.
  static let first = "2485fbb60092397d135c3570a8f15076123048a08be23377b34aeb0bf47f0a1a"
  static let second = "48ac56f9f8f62580e874eb1b07258abdcc379d444b485efc81d41566d4ad8b62"
  static let text = """
    first-come witness 1
    database 0123456789abcdef0123456789abcdef
    file -
    sequence 7
    spring 1 \(first)
    summer 2 \(second)
    checksum b4d51e22e2bcda6e17cd2b2510cd9b9ae713896965bddf519fcb52ffa49a3cac

    """

  private var chain: [[UInt8]] {
    let first = AcceptanceChain.value(
      after: AcceptanceChain.beginning, campaign: "summer", seat: 1, user: "mina", acceptedAt: 1_796_115_600_000_000)
    return [
      first,
      AcceptanceChain.value(
        after: first, campaign: "summer", seat: 2, user: "a/b?c#d%e", acceptedAt: 1_796_115_600_000_001),
    ]
  }

  private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  @Test func theChainIsThatOfAnotherImplementation() {
    #expect(chain.map(hexadecimal) == [Self.first, Self.second])
  }

  @Test func theRecordIsThatOfAnotherImplementation() {
    let record = WitnessRecord(
      databaseID: "0123456789abcdef0123456789abcdef", databasePath: nil, sequence: 7,
      tips: ["summer": .init(seat: 2, chain: chain[1]), "spring": .init(seat: 1, chain: chain[0])])
    #expect(String(decoding: record.encoded, as: UTF8.self) == Self.text)
    #expect(WitnessRecord(record.encoded) == record)
    #expect(WitnessRecord(record.encoded + [0, 0, 0]) == record)  // what follows is an older, longer record
    let elsewhere = WitnessRecord(
      databaseID: record.databaseID, databasePath: "/srv/first come.db", sequence: 8, tips: [:])
    #expect(WitnessRecord(elsewhere.encoded) == elsewhere)
  }

  /// Version 2 has one line more. A record without the number is written as version 1.
  @Test func theRecordOfVersionTwoIsThatOfAnotherImplementation() {
    let text = """
      first-come witness 2
      database 0123456789abcdef0123456789abcdef
      file -
      sequence 7
      log 1099511631872
      spring 1 \(Self.first)
      summer 2 \(Self.second)
      checksum 2593e9776141163f5ff5569f9afea1498b19dcaad5c898c35d7f7ac4a38c6958

      """
    let record = WitnessRecord(
      databaseID: "0123456789abcdef0123456789abcdef", databasePath: nil, sequence: 7, logSequence: 1_099_511_631_872,
      tips: ["summer": .init(seat: 2, chain: chain[1]), "spring": .init(seat: 1, chain: chain[0])])
    #expect(String(decoding: record.encoded, as: UTF8.self) == text)
    #expect(WitnessRecord(record.encoded) == record)
    let known = WitnessRecord(Array(Self.text.utf8))
    #expect(known?.sequence == 7 && known?.logSequence == nil)
  }

  @Test(arguments: ["checksum", "file", "database", "sequence", "first-come", "log"])
  func anyCampaignCanBeWitnessed(campaign: String) {
    let record = WitnessRecord(
      databaseID: "0", databasePath: nil, sequence: 1, tips: [campaign: .init(seat: 57, chain: chain[0])])
    #expect(WitnessRecord(record.encoded) == record)
  }

  /// Whose checksum is right all the same: the next record would have a number that there is not.
  @Test(arguments: [
    ("sequence 7", "sequence 9223372036854775807"), ("sequence 7", "sequence -1"), ("summer 2", "summer -9"),
  ])
  func numbersThatNobodyWritesAreNone(number: String, instead: String) {
    func record(_ text: String) -> WitnessRecord? {
      let sum = hexadecimal(Array(SHA256.hash(data: Array(text.utf8))))
      return WitnessRecord(Array("\(text)checksum \(sum)\n".utf8))
    }
    let body = Self.text.split(separator: "\n").dropLast().joined(separator: "\n") + "\n"
    #expect(record(body) != nil)
    #expect(record(body.replacing(number, with: instead)) == nil)
  }

  /// Every single bit, and every length.
  @Test func aTornRecordIsNone() {
    let whole = Array(Self.text.utf8)
    for length in 0..<whole.count { #expect(WitnessRecord(Array(whole.prefix(length))) == nil) }
    for index in whole.indices {
      for bit in 0..<8 {
        var flipped = whole
        flipped[index] ^= 1 << UInt8(bit)
        #expect(WitnessRecord(flipped) == nil, "byte \(index), bit \(bit)")
      }
    }
  }
}
