package import Issuance
internal import Synchronization

/// Which campaigns are told apart in the metrics: at most so many, so that the number of series has a limit. All others
/// are counted together under the empty label.
package final class CampaignLabels: Sendable {
  /// Campaigns that have a label of their own.
  package static let limit = 100
  /// The label of all others.
  package static let others = ""

  private let held = Mutex<Set<CampaignID>>([])

  package init() {}

  /// The label of a campaign that exists, for a counter. Who comes first keeps it as long as the process runs: a counter
  /// never falls.
  package func keep(_ id: CampaignID) -> String {
    held.withLock { held in
      if held.contains(id) { return id.rawValue }
      guard held.count < Self.limit else { return Self.others }
      held.insert(id)
      return id.rawValue
    }
  }

  /// The campaigns that have a label now, for gauges: those that keep one, then those that are not closed, then the
  /// newest.
  package func choose(from campaigns: [CampaignStats]) -> Set<CampaignID> {
    let held = held.withLock { $0 }
    let known = campaigns.map(\.summary)
    let free = max(0, Self.limit - held.count)
    let candidates = known.filter { !held.contains($0.campaign.id) }.sorted { left, right in
      let isOver = (left: left.phase == .closed, right: right.phase == .closed)
      if isOver.left != isOver.right { return isOver.right }
      if left.campaign.createdAt != right.campaign.createdAt {
        return left.campaign.createdAt > right.campaign.createdAt
      }
      return left.campaign.id < right.campaign.id
    }
    return held.union(candidates.prefix(free).map(\.campaign.id))
  }
}
