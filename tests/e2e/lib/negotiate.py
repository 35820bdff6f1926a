"""negotiate.py SERVICE FLAGS: the initiator of an SPNEGO negotiation; each line of input is a base64 token of the
acceptor (the first is empty), each line of output says "more" or "complete" and the token to send, if any."""
import base64
import sys

import gssapi

SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
FLAGS = {"mutual": gssapi.RequirementFlag.mutual_authentication, "dce": gssapi.RequirementFlag.dce_style,
         "replay": gssapi.RequirementFlag.replay_detection}


def main():
    flags = 0
    for name in sys.argv[2].split(","):
        flags |= FLAGS.get(name, 0)
    name = gssapi.Name(sys.argv[1], gssapi.NameType.hostbased_service)
    context = gssapi.SecurityContext(name=name, mech=SPNEGO, usage="initiate", flags=flags)
    for line in sys.stdin:
        token = context.step(base64.b64decode(line) or None)
        print("complete" if context.complete else "more", base64.b64encode(token).decode() if token else "", flush=True)


if __name__ == "__main__":
    main()
