<?xml version='1.0' encoding='UTF-8'?>
<!-- Renders a document in the XSF's XEP format as one HTML page. See README.md. -->
<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>
  <xsl:output method='html' encoding='UTF-8' indent='no' doctype-system='about:legacy-compat'/>

  <xsl:template match='/xep'>
    <html lang='en'>
      <head>
        <meta name='viewport' content='width=device-width, initial-scale=1'/>
        <title><xsl:value-of select='header/title'/></title>
        <style>
          body { max-width: 50em; margin: 2em auto; padding: 0 1em;
                 font: 16px/1.5 sans-serif; color: #222; background: #fff }
          h1, h2, h3 { line-height: 1.2; margin-top: 1.6em }
          pre { background: #f4f4f0; padding: .8em; overflow-x: auto; font-size: 13px }
          table { border-collapse: collapse; margin: 1em 0 }
          caption { text-align: left; font-weight: bold; padding: .3em 0 }
          th, td { border: 1px solid #bbb; padding: .25em .6em; text-align: left;
                   vertical-align: top }
          figure { margin: 1em 0 } figcaption { font-weight: bold }
          dt { font-weight: bold } .status { color: #a00 }
        </style>
      </head>
      <body>
        <xsl:apply-templates select='header'/>
        <h2>Contents</h2>
        <ol>
          <xsl:for-each select='section1'>
            <li>
              <a href='#{@anchor}'><xsl:value-of select='@topic'/></a>
              <xsl:if test='section2'>
                <ol>
                  <xsl:for-each select='section2'>
                    <li><a href='#{@anchor}'><xsl:value-of select='@topic'/></a></li>
                  </xsl:for-each>
                </ol>
              </xsl:if>
            </li>
          </xsl:for-each>
        </ol>
        <xsl:apply-templates select='section1'/>
        <h2>Legal</h2>
        <xsl:for-each select='header/legal/*'><p><xsl:apply-templates/></p></xsl:for-each>
        <h2>Revisions</h2>
        <xsl:for-each select='header/revision'>
          <h3><xsl:value-of select='concat(version, " (", date, ")")'/></h3>
          <xsl:apply-templates select='remark'/>
        </xsl:for-each>
      </body>
    </html>
  </xsl:template>

  <xsl:template match='header'>
    <h1><xsl:value-of select='concat("XEP-", number, ": ", title)'/></h1>
    <p><xsl:value-of select='abstract'/></p>
    <p class='status'>
      <xsl:value-of select='concat(status, ", ", type, ", version ", revision[1]/version,
                                   ", ", revision[1]/date, ", short name ", shortname)'/>
    </p>
    <p>
      <xsl:text>Depends on </xsl:text>
      <xsl:for-each select='dependencies/spec'>
        <xsl:if test='position() &gt; 1'>, </xsl:if>
        <xsl:value-of select='.'/>
      </xsl:for-each>
      <xsl:text>.</xsl:text>
    </p>
  </xsl:template>

  <xsl:template match='section1'>
    <h2 id='{@anchor}'>
      <xsl:number count='section1'/><xsl:text>. </xsl:text><xsl:value-of select='@topic'/>
    </h2>
    <xsl:apply-templates/>
  </xsl:template>

  <xsl:template match='section2'>
    <h3 id='{@anchor}'>
      <xsl:number level='multiple' count='section1|section2' format='1.1'/>
      <xsl:text> </xsl:text><xsl:value-of select='@topic'/>
    </h3>
    <xsl:apply-templates/>
  </xsl:template>

  <xsl:template match='section3|section4|section5'>
    <h4 id='{@anchor}'><xsl:value-of select='@topic'/></h4>
    <xsl:apply-templates/>
  </xsl:template>

  <xsl:template match='example'>
    <figure>
      <figcaption>
        <xsl:text>Example </xsl:text><xsl:number level='any' count='example'/>
        <xsl:text>. </xsl:text><xsl:value-of select='@caption'/>
      </figcaption>
      <pre><xsl:value-of select='.'/></pre>
    </figure>
  </xsl:template>

  <xsl:template match='code[@caption or contains(., "&#10;")]'>
    <figure>
      <figcaption><xsl:value-of select='@caption'/></figcaption>
      <pre><xsl:apply-templates/></pre>
    </figure>
  </xsl:template>

  <xsl:template match='table'>
    <table>
      <caption>
        <xsl:text>Table </xsl:text><xsl:number level='any' count='table'/>
        <xsl:text>. </xsl:text><xsl:value-of select='@caption'/>
      </caption>
      <xsl:apply-templates/>
    </table>
  </xsl:template>

  <xsl:template match='link'><a href='{@url}'><xsl:apply-templates/></a></xsl:template>
  <xsl:template match='tt'><code><xsl:apply-templates/></code></xsl:template>
  <xsl:template match='note'><small> (<xsl:apply-templates/>)</small></xsl:template>
  <xsl:template match='di'><xsl:apply-templates/></xsl:template>

  <!-- What has the same name in HTML. -->
  <xsl:template match='p|ul|ol|li|dl|dt|dd|tr|th|td|em|strong|br|div|span|cite|dfn|code|blockquote'>
    <xsl:element name='{name()}'>
      <xsl:copy-of select='@class|@style|@colspan|@rowspan'/>
      <xsl:apply-templates/>
    </xsl:element>
  </xsl:template>

  <!-- Whatever this file forgets must not vanish in silence. -->
  <xsl:template match='*'>
    <xsl:message terminate='yes'>render.xsl: no template for &lt;<xsl:value-of select='name()'/>&gt;</xsl:message>
  </xsl:template>
  <xsl:template match='remark'><xsl:apply-templates/></xsl:template>
</xsl:stylesheet>
