internal import Synchronization

/// How many streams are open. A place is given back when its last owner is gone: with the answer that held it, whether
/// that was written, broke off or never began.
final class Viewers: Sendable {
  final class Place: Sendable {
    private let viewers: Viewers

    fileprivate init(_ viewers: Viewers) { self.viewers = viewers }

    deinit { viewers.open.subtract(1, ordering: .relaxed) }
  }

  private let limit: Int
  private let open = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  var count: Int { min(open.load(ordering: .relaxed), limit) }

  /// - Returns: `nil` where all places are taken.
  func take() -> Place? {
    let place = open.add(1, ordering: .relaxed).newValue <= limit
    if !place { open.subtract(1, ordering: .relaxed) }
    return place ? Place(self) : nil
  }
}
