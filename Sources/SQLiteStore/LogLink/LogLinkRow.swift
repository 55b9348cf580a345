/// The row of `log_link`, read from the bytes of the page that holds it.
///
/// Every write transaction renews the row: `nonce` becomes `prev`, and `seq` rises by one. So one row names the state of
/// the file that it stands in, and the state before it.
package struct LogLinkRow: Equatable, Sendable {
  /// Rises by one with every write transaction, from 2^40 on.
  package let seq: Int64
  /// 16 bytes: the nonce of the state before. Zeros where the table was created or moved.
  package let prev: [UInt8]
  /// 16 random bytes.
  package let nonce: [UInt8]

  /// The state as one word, as ``LogLink/state(in:)`` reads it.
  var state: String {
    let digits = nonce.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    return "\(seq) \(digits)"
  }

  /// Whether the row names no state before it.
  var isAnchor: Bool { prev.allSatisfy { $0 == 0 } }

  /// The start of the one cell of the page: payload of 52 bytes, rowid 1, header of 6 bytes, then the serial types of
  /// NULL (the rowid), a text of 8 bytes, an integer of 6 bytes and two blobs of 16 bytes, then the tag.
  private static let cellStart: [UInt8] = [0x34, 0x01, 0x06, 0x00, 0x1D, 0x05, 0x2C, 0x2C] + Array("log_link".utf8)
  private static let cellSize = 54

  /// Parses a page strictly, so that no value in another table can pass for the row: a table leaf page (0x0D) with one
  /// cell, which is the last thing on the page.
  ///
  /// - Parameter page: one whole page. Source: https://www.sqlite.org/fileformat2.html#b_tree_pages
  /// - Returns: `nil` if the page is anything else.
  package init?(page: some RandomAccessCollection<UInt8>) {
    guard page.count >= 512 else { return nil }
    func byte(_ offset: Int) -> Int { Int(page[page.index(page.startIndex, offsetBy: offset)]) }
    let cell = page.count - Self.cellSize
    guard byte(0) == 0x0D, byte(1) == 0, byte(2) == 0, byte(3) == 0, byte(4) == 1, byte(5) << 8 | byte(6) == cell,
      byte(8) << 8 | byte(9) == cell
    else { return nil }
    let bytes = Array(page.suffix(Self.cellSize))
    guard bytes.starts(with: Self.cellStart) else { return nil }
    seq = bytes[16..<22].reduce(Int64(0)) { $0 << 8 | Int64($1) }
    prev = Array(bytes[22..<38])
    nonce = Array(bytes[38..<54])
  }

  package init(seq: Int64, prev: [UInt8], nonce: [UInt8]) {
    self.seq = seq
    self.prev = prev
    self.nonce = nonce
  }
}
