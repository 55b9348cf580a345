internal import SQLiteStore

extension FuzzTarget {
  /// The bytes of a write-ahead log; also with the salts and checksums that they would need.
  static let log = FuzzTarget("log") { bytes in
    for content in [bytes, sealed(bytes)] {
      guard let whole = try? WriteAheadLogReader.contents(of: LogBytes(bytes: content)) else { continue }
      precondition(whole.frames > 0, "a log without a commit was taken")
      precondition(32 + whole.frames * (24 + whole.pageSize) <= content.count, "more frames were taken than there are")
      precondition(whole.links.count <= whole.frames && whole.links.allSatisfy { $0.page > 0 }, "a link stands nowhere")
      let part = LogBytes(bytes: content.dropLast(content.count / 3))
      guard let cut = try? WriteAheadLogReader.contents(of: part) else { continue }
      precondition(cut.links.elementsEqual(whole.links.prefix(cut.links.count)), "a cut log has other links")
    }
  }

  private static let pageSize = 512

  /// A log of pages of 512 bytes that is whole up to its last full frame.
  private static func sealed(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 32 else { return bytes }
    var log = bytes
    let isBigEndian = bytes[3] & 1 == 1
    log.replaceSubrange(0..<12, with: [0x37, 0x7F, 0x06, isBigEndian ? 0x83 : 0x82, 0, 0x2D, 0xE2, 0x18, 0, 0, 2, 0])
    var sum = (UInt32(0), UInt32(0))
    func add(_ part: ArraySlice<UInt8>) {
      for start in stride(from: part.startIndex, to: part.endIndex, by: 8) {
        sum.0 = sum.0 &+ word(part[start..<start + 4], isBigEndian) &+ sum.1
        sum.1 = sum.1 &+ word(part[start + 4..<start + 8], isBigEndian) &+ sum.0
      }
    }
    func put(at offset: Int) {
      for (place, value) in [(offset, sum.0), (offset + 4, sum.1)] {
        for byte in 0..<4 { log[place + byte] = UInt8(truncatingIfNeeded: value >> (24 - 8 * byte)) }
      }
    }
    add(log[0..<24])
    put(at: 24)
    for start in stride(from: 32, through: log.count - 24 - pageSize, by: 24 + pageSize) {
      log.replaceSubrange(start + 8..<start + 16, with: log[16..<24])
      add(log[start..<start + 8])
      add(log[start + 24..<start + 24 + pageSize])
      put(at: start + 16)
    }
    return log
  }

  private static func word(_ bytes: ArraySlice<UInt8>, _ isBigEndian: Bool) -> UInt32 {
    isBigEndian ? bytes.reduce(0) { $0 << 8 | UInt32($1) } : bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}

private struct LogBytes: ByteSource {
  let bytes: [UInt8]

  init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let part = bytes.dropFirst(offset).prefix(buffer.count)
    unsafe buffer.copyBytes(from: part)
    return part.count
  }
}
