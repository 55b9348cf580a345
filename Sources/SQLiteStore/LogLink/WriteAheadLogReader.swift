/// Bytes that are read by offset: a file, or an array in tests.
package protocol ByteSource {
  /// Reads up to `buffer.count` bytes from `offset` on.
  ///
  /// - Returns: how many bytes were read; fewer at the end of the source.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// What the valid run of a write-ahead log holds, as SQLite's recovery would take it.
///
/// Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
package struct LogContents: Equatable, Sendable {
  /// The row of `log_link` as one committed frame has it.
  package struct Link: Equatable, Sendable {
    package let page: Int
    package let row: LogLinkRow
  }

  package let pageSize: Int
  /// The two salts of the header, 8 bytes: they are new each time the log begins again.
  package let salts: [UInt8]
  /// Frames up to the last commit.
  package internal(set) var frames = 0
  /// Every committed frame that holds the row of `log_link`, in the order of the log.
  package internal(set) var links: [Link] = []
  /// Whether the first transaction holds every page of the database, as VACUUM writes it.
  package internal(set) var isFirstTransactionWhole = false
}

/// Reads a write-ahead log by plain reads: nothing is opened by SQLite, locked or changed.
///
/// Cost: one pass over the log, whose checksums are recomputed. It stops at the first frame that recovery would not
/// take.
package struct WriteAheadLogReader {
  private static let headerSize = 32
  private static let frameHeaderSize = 24
  /// How many bytes are read at a time, at least one frame.
  private static let chunkSize = 1 << 18

  private let pageSize: Int
  private let salts: [UInt8]
  private let isBigEndian: Bool
  private var checksum: Checksum

  /// Reads a whole log.
  ///
  /// - Returns: `nil` if no transaction in it would be taken: it is missing, shorter than its header, has a bad header,
  ///   or has no commit frame in its valid run.
  package static func contents(of source: some ByteSource) throws -> LogContents? {
    var header = [UInt8](repeating: 0, count: headerSize)
    let count = try unsafe header.withUnsafeMutableBytes { unsafe try source.read(at: 0, into: $0) }
    guard count == headerSize, var reader = WriteAheadLogReader(header: header) else { return nil }
    return try reader.walk(source)
  }

  private init?(header: [UInt8]) {
    let magic = Self.word(header, at: 0)
    let size = Int(Self.word(header, at: 8))
    guard magic & 0xFFFF_FFFE == 0x377F_0682, Self.word(header, at: 4) == 3_007_000, size >= 512, size <= 65_536,
      size & (size - 1) == 0
    else { return nil }
    isBigEndian = magic & 1 == 1
    pageSize = size
    salts = Array(header[16..<24])
    checksum = unsafe header.withUnsafeBytes { bytes in
      var sum = Checksum()
      unsafe sum.add(UnsafeRawBufferPointer(rebasing: bytes[..<24]), isBigEndian: magic & 1 == 1)
      return sum
    }
    guard checksum.first == Self.word(header, at: 24), checksum.second == Self.word(header, at: 28) else { return nil }
  }

  private mutating func walk(_ source: some ByteSource) throws -> LogContents? {
    let frameSize = Self.frameHeaderSize + pageSize
    let framesPerChunk = max(1, Self.chunkSize / frameSize)
    var buffer = [UInt8](repeating: 0, count: framesPerChunk * frameSize)
    var run = Run(contents: LogContents(pageSize: pageSize, salts: salts))
    var offset = Self.headerSize
    reading: while true {
      let count = try unsafe buffer.withUnsafeMutableBytes { unsafe try source.read(at: offset, into: $0) }
      for frame in 0..<(count / frameSize) {
        let isTaken = unsafe buffer.withUnsafeBytes { bytes in
          let start = frame * frameSize
          return unsafe take(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + frameSize)]), &run)
        }
        guard isTaken else { break reading }
      }
      guard count == buffer.count else { break }
      offset += count
    }
    return run.contents.frames == 0 ? nil : run.contents
  }

  /// - Returns: whether recovery would take the frame.
  private mutating func take(_ frame: UnsafeRawBufferPointer, _ run: inout Run) -> Bool {
    func word(_ offset: Int) -> UInt32 {
      unsafe UInt32(bigEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    let page = Int(word(0))
    let content = unsafe UnsafeRawBufferPointer(rebasing: frame[Self.frameHeaderSize...])
    guard page > 0, unsafe frame[8..<16].elementsEqual(salts) else { return false }
    unsafe checksum.add(UnsafeRawBufferPointer(rebasing: frame[..<8]), isBigEndian: isBigEndian)
    unsafe checksum.add(content, isBigEndian: isBigEndian)
    guard checksum.first == word(16), checksum.second == word(20) else { return false }
    let row = unsafe content.first == 0x0D ? LogLinkRow(page: content) : nil
    run.take(page: page, link: row, sizeAfterCommit: Int(word(4)))
    return true
  }

  private static func word(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The frames that were taken so far; those after the last commit may belong to a transaction that was cut off.
  private struct Run {
    var contents: LogContents
    private var taken = 0
    private var uncommitted: [LogContents.Link] = []
    /// The pages of the first transaction; `nil` once it is committed.
    private var firstPages: Set<Int>? = []

    init(contents: LogContents) { self.contents = contents }

    mutating func take(page: Int, link: LogLinkRow?, sizeAfterCommit: Int) {
      taken += 1
      firstPages?.insert(page)
      if let link { uncommitted.append(LogContents.Link(page: page, row: link)) }
      guard sizeAfterCommit > 0 else { return }
      contents.frames = taken
      contents.links += uncommitted
      uncommitted = []
      guard let pages = firstPages else { return }
      contents.isFirstTransactionWhole = pages.count { $0 <= sizeAfterCommit } == sizeAfterCommit
      firstPages = nil
    }
  }

  /// The cumulative checksum of a log. Both words wrap.
  private struct Checksum {
    var first: UInt32 = 0
    var second: UInt32 = 0

    /// - Parameter bytes: a multiple of 8.
    mutating func add(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool) {
      var (first, second) = (first, second)
      var offset = 0
      while offset + 8 <= bytes.count {
        let one = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        let two = unsafe bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
        first = first &+ (isBigEndian ? UInt32(bigEndian: one) : UInt32(littleEndian: one)) &+ second
        second = second &+ (isBigEndian ? UInt32(bigEndian: two) : UInt32(littleEndian: two)) &+ first
        offset += 8
      }
      (self.first, self.second) = (first, second)
    }
  }
}
