internal import HTTPTypes
internal import HummingbirdCore
internal import Issuance
internal import NIOCore
internal import ServiceKit

extension JSONText {
  static func response(_ status: HTTPResponse.Status, _ value: some Encodable) throws -> Response {
    Response(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: try encode(value))))
  }
}

/// The body of 201 and 200 to a claim.
struct AcceptanceBody: Encodable, Sendable {
  let campaignID: String
  let userID: String
  let seat: Int
  let acceptedAt: String

  init(_ acceptance: Acceptance) {
    campaignID = acceptance.campaignID.rawValue
    userID = acceptance.userID.rawValue
    seat = acceptance.seat.number
    acceptedAt = "\(acceptance.acceptedAt)"
  }
}

/// The body of 200 to a question about a claim.
struct ClaimBody: Encodable, Sendable {
  let campaignID: String
  let userID: String
  let seat: Int
  let acceptedAt: String
  let status: String
  let code: String?
  let issuedAt: String?

  init(_ record: ClaimRecord) {
    let acceptance = AcceptanceBody(record.acceptance)
    campaignID = acceptance.campaignID
    userID = acceptance.userID
    seat = acceptance.seat
    acceptedAt = acceptance.acceptedAt
    var coupon: Coupon?
    switch record.status {
    case .pending: status = "pending"
    case .delayed: status = "delayed"
    case .discarded: status = "discarded"
    case .issued(let issued):
      status = "issued"
      coupon = issued
    }
    code = coupon?.code.rawValue
    issuedAt = coupon.map { "\($0.issuedAt)" }
  }
}

/// A campaign as the API gives it.
struct CampaignBody: Encodable, Sendable {
  let id: String
  let name: String
  let quota: Int
  let accepted: Int
  let coupons: Int
  let state: String
  let issuer: String
  let opensAt: Nullable<String>
  let closesAt: Nullable<String>

  init(_ summary: CampaignSummary) {
    id = summary.campaign.id.rawValue
    name = summary.campaign.name
    quota = summary.campaign.quota.count
    accepted = summary.campaign.counter
    coupons = summary.coupons
    state = summary.phase.word
    issuer = summary.campaign.issuer.rawValue
    opensAt = Nullable(summary.campaign.opensAt.map { "\($0)" })
    closesAt = Nullable(summary.campaign.closesAt.map { "\($0)" })
  }
}
