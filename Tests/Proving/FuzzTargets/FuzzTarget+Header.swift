internal import HTTPTypes
internal import Issuance
internal import IssueService
internal import ServiceKit

extension FuzzTarget {
  /// Each line as the value of a field, of a target, of an address.
  static let header = FuzzTarget("header") { bytes in
    let lines = lines(bytes)
    for type in MediaType.allCases {
      _ = type.isAccepted(by: lines)
      for line in lines { _ = type.isNamed(by: line) }
    }
    let id = RequestID.of(lines)
    precondition(RequestID.of([id]) == id, "an id of a request is not one")
    judgePeers(lines)
    for line in lines {
      _ = TraceParent(line)
      judgeTarget(line)
      judgeAddress(line)
    }
  }

  private static func judgePeers(_ lines: [String]) {
    var fields = HTTPFields()
    if let name = HTTPField.Name("X-Forwarded-For") {
      for line in lines { fields.append(HTTPField(name: name, value: line)) }
    }
    let stranger = Peer.address([192, 0, 2, 1])
    precondition(ForwardedPeer().client(of: fields, from: stranger) == stranger, "a stranger is believed")
    _ = ForwardedPeer().client(of: fields, from: .local)
    let userFields = HTTPFields(
      lines.compactMap { line in HTTPField.Name("X-User-Id").map { HTTPField(name: $0, value: line) } })
    let gateway = HeaderIdentity()
    precondition((try? gateway.user(of: userFields, from: stranger)) == nil, "a stranger says who somebody is")
    if let user = try? gateway.user(of: userFields, from: .local) {
      precondition(userFields.count == 1 && userFields[userFields.startIndex].value == user.rawValue, "another user")
    }
  }

  private static func judgeTarget(_ line: String) {
    guard case .path(let segments) = RequestTarget(line) else { return }
    precondition(!segments.isEmpty, "a path has no segments")
    _ = PublicResource(segments: segments)
  }

  private static func judgeAddress(_ line: String) {
    if let network = try? Network(line) {
      precondition((try? Network("\(network)")) == network, "\(line) is not read as it is written: \(network)")
    }
    _ = Peer(numeric: line)
    if let address = ListenAddress(line) {
      precondition(ListenAddress("\(address)") == address, "\(line) is not read as it is written: \(address)")
      _ = address.isLoopback
    }
    _ = ListenAddress("127.0.0.1:8081")?.isNamed(byHost: line)
  }
}
