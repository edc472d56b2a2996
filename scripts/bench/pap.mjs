/** The push that is measured: an SI of ordinary size in PAP 2.0, addressed to one of a number of users. */
const AUTHORIZATION = `Basic ${Buffer.from('bench:bench').toString('base64')}`;

export const userName = (index) => `u${index}`;
export const instance = (index) => `urn:uuid:00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;

export const papHead = [
  'POST /pap HTTP/1.1',
  'host: bench',
  `authorization: ${AUTHORIZATION}`,
  'content-type: multipart/related; type="application/xml"; boundary=b',
  '',
].join('\r\n');

export function papBody(run, users) {
  return (sequence) =>
    Buffer.from(
      `--b\r\nContent-Type: application/xml\r\n\r\n<?xml version="1.0"?>
<!DOCTYPE pap PUBLIC "-//WAPFORUM//DTD PAP 2.0//EN" "http://www.wapforum.org/DTD/pap_2.0.dtd">
<pap product-name="bench"><push-message push-id="${run}.${sequence}@bench.test" source-reference="bench">
<address address-value="WAPPUSH=sip%3A${userName(sequence % users)}%40bench.test/TYPE=USER@bench.test"/>
<quality-of-service priority="medium" delivery-method="notspecified"/></push-message></pap>\r\n--b\r
Content-Type: text/vnd.wap.si; charset=utf-8\r\nX-Wap-Application-Id: x-wap-application:wml.ua\r\n\r
<?xml version="1.0"?><si><indication href="http://m.example.org/n/7" si-id="n7@example.org" action="signal-medium" si-expires="2030-08-01T00:00:00Z">1 new message</indication></si>\r\n--b--\r\n`,
    );
}
