internal import Crypto

/// What the witness file holds: how far each campaign had come at one commit. A published shape, plain text:
///
///     first-come witness 2
///     database 6f1d…                     32 hexadecimal digits, the id that stands in the database
///     file /srv/first-come.db            where the database is; "-": beside the witness
///     sequence 1234                      rises by one with every record
///     log 1099511631872                  number of the commit that gave the last seat; not in version 1
///     summer 57 9a3b…                    campaign, highest seat, chain value of that seat; by the order of the ids
///     checksum 41c7…                     SHA-256 of every byte before this line
package struct WitnessRecord: Sendable, Equatable {
  /// The last acceptance of one campaign.
  package struct Tip: Sendable, Equatable {
    package let seat: Int
    package let chain: [UInt8]

    package init(seat: Int, chain: [UInt8]) {
      self.seat = seat
      self.chain = chain
    }
  }

  package let databaseID: String
  /// The absolute path of the database; `nil` where witness and database lie side by side.
  package let databasePath: String?
  package var sequence: Int
  /// The number of the last commit that gave a seat, as `log_link` has it; `nil` if it is not known, in version 1.
  package var logSequence: Int?
  /// By campaign; one without an acceptance is not there.
  package var tips: [String: Tip]

  package init(
    databaseID: String, databasePath: String?, sequence: Int, logSequence: Int? = nil, tips: [String: Tip]
  ) {
    self.databaseID = databaseID
    self.databasePath = databasePath
    self.sequence = sequence
    self.logSequence = logSequence
    self.tips = tips
  }

  /// The first line of each version; the second has one line more.
  private static let magic = ["first-come witness 1", "first-come witness 2"]
  private static let checksumLabel = "checksum "

  package var encoded: [UInt8] {
    let magic = Self.magic[logSequence == nil ? 0 : 1]
    var text = "\(magic)\ndatabase \(databaseID)\nfile \(databasePath ?? "-")\nsequence \(sequence)\n"
    if let logSequence { text += "log \(logSequence)\n" }
    for (campaign, tip) in tips.sorted(by: { $0.key < $1.key }) {
      text += "\(campaign) \(tip.seat) \(Hexadecimal.text(tip.chain))\n"
    }
    let bytes = Array(text.utf8)
    return bytes + "\(Self.checksumLabel)\(Hexadecimal.text(SHA256.hash(data: bytes)))\n".utf8
  }

  /// Reads what ``encoded`` wrote. Whatever follows the line of the checksum is passed over.
  ///
  /// - Returns: `nil` where it is torn, damaged or something else.
  package init?(_ bytes: [UInt8]) {
    guard Self.magic.contains(where: { bytes.starts(with: Array(($0 + "\n").utf8)) }) else { return nil }
    var lines: [Substring] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = Substring(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
      // A campaign may be called "checksum": its line has three fields.
      if line.hasPrefix(Self.checksumLabel), line.count(where: { $0 == " " }) == 1 {
        let sum = Hexadecimal.text(SHA256.hash(data: Array(bytes[..<rest.startIndex])))
        guard line.dropFirst(Self.checksumLabel.count) == sum else { return nil }
        self.init(lines: lines)
        return
      }
      lines.append(line)
      rest = rest[(end + 1)...]
    }
    return nil
  }

  /// Of a sequence and a seat: far below the limit of the type, so that many records can follow.
  private static let numbers = 0...1_000_000_000_000_000

  /// A number as it is written here.
  private static func number(_ text: Substring) -> Int? {
    guard let number = Int(text), numbers.contains(number), "\(number)" == text else { return nil }
    return number
  }

  private init?(lines: [Substring]) {
    guard lines.count >= 4, lines[1].hasPrefix("database "), lines[2].hasPrefix("file "),
      lines[3].hasPrefix("sequence "), let sequence = Self.number(lines[3].dropFirst("sequence ".count))
    else { return nil }
    var head = 4
    var logSequence: Int?
    if lines[0] == Self.magic[1] {
      guard lines.count >= 5, lines[4].hasPrefix("log "), let number = Self.number(lines[4].dropFirst("log ".count))
      else { return nil }
      logSequence = number
      head = 5
    }
    var tips: [String: Tip] = [:]
    for line in lines.dropFirst(head) {
      let fields = line.split(separator: " ", omittingEmptySubsequences: false)
      guard fields.count == 3, let seat = Self.number(fields[1]), let chain = Hexadecimal.bytes(fields[2]),
        chain.count == 32
      else { return nil }
      tips[String(fields[0])] = Tip(seat: seat, chain: chain)
    }
    let file = String(lines[2].dropFirst("file ".count))
    self.init(
      databaseID: String(lines[1].dropFirst("database ".count)), databasePath: file == "-" ? nil : file,
      sequence: sequence, logSequence: logSequence, tips: tips)
  }
}
