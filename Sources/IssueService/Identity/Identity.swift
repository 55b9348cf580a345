internal import HTTPTypes
internal import Issuance

enum IdentityRefusal: Error, Equatable {
  case missing, badUserID
  var detail: String { "x" }
  var challenge: String { "Gateway" }
}

enum Identity: Sendable {
  case header
  func user(of headers: HTTPFields, from peer: Peer) async throws(IdentityRefusal) -> UserID {
    let values = headers[values: .userID]
    guard values.count > 0 else { throw .missing }
    guard values.count == 1, let id = UserID(values[0]) else { throw .badUserID }
    return id
  }
}
