internal import Issuance
internal import NIOCore
internal import ServiceKit
internal import Synchronization

/// Points as server-sent events. Each is encoded once, and all viewers are sent the same bytes.
final class LiveEvents: Sendable {
  /// After which a browser that lost the stream asks for it again, in milliseconds.
  private static let retry = 2_000

  private struct Encoded {
    let number: Int
    let bytes: ByteBuffer
  }

  /// Two locks, each held while one encodes: the others wait for its bytes instead of making their own.
  private let point = Mutex<Encoded?>(nil)
  private let history = Mutex<Encoded?>(nil)

  /// The event `point`.
  ///
  /// - Parameter viewers: how many watch when it is encoded.
  func bytes(of point: StatsSample, viewers: Int) throws -> ByteBuffer {
    try self.point.withLock { encoded in
      if let encoded, encoded.number == point.number { return encoded.bytes }
      let json = try JSONText.encode(LivePoint(point, viewers: viewers))
      let bytes = ByteBuffer(string: "id: \(point.number)\nevent: point\ndata: \(json)\n\n")
      // Who comes late with an older one does not make the others encode theirs again.
      if (encoded?.number ?? .min) < point.number { encoded = Encoded(number: point.number, bytes: bytes) }
      return bytes
    }
  }

  /// The event `history`, with which a stream begins.
  func bytes(of points: [StatsSample]) throws -> ByteBuffer {
    let number = points.last?.number ?? -1
    return try history.withLock { encoded in
      if let encoded, encoded.number == number { return encoded.bytes }
      let json = try JSONText.encode(LiveHistory(points))
      let bytes = ByteBuffer(string: "retry: \(Self.retry)\nevent: history\ndata: \(json)\n\n")
      encoded = Encoded(number: number, bytes: bytes)
      return bytes
    }
  }
}
