"""The authorization server for partners' clients: OAuth 2 client credentials and what belongs to it.

POST /oauth/token         RFC 6749, 4.4; RFC 7523, 2.2; RFC 9449, 5; tokens by RFC 9068
POST /oauth/revoke        RFC 7009
POST /oauth/introspect    RFC 7662
GET  /.well-known/...     RFC 8414, RFC 9728, RFC 7517

routes      what is served where
endpoint    HTTP: one form in, one JSON object out, every error in the words of RFC 6749, 5.2
forms       the bytes of a request as parameters and presented credentials
authentication, assertions    who the client is
grant, inspection             what it gets, and what becomes of it
metadata    what others read about all this
client_keys the JWKS that an officer registers
"""
